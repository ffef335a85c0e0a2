/** Passwords and names that nobody guesses. */
import { createSystemRandom } from '../../core/random.ts';

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** Bytes above this would make some letters likelier than others. */
const fairBytes = 256 - (256 % letters.length);
/** As long as cscli's. */
const passwordLength = 64;

export function randomPassword(): string {
  return randomText(passwordLength);
}

/** Letters and digits, each as likely as any other. */
export function randomText(length: number): string {
  const random = createSystemRandom();
  let text = '';
  while (text.length < length) {
    for (const byte of random.bytes(length)) {
      if (byte < fairBytes && text.length < length) text += letters[byte % letters.length] ?? '';
    }
  }
  return text;
}
