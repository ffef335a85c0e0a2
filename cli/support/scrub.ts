/** Takes secrets out of any text: those that are known, and what looks like credentials in a URL. */

const replacement = '[redacted]';

/** Passwords and keys within an address: `redis://user:password@host`. */
const urlCredentials = /\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@"'<>]{1,512}@/gi;

export function createScrubber(secrets: readonly string[]): (text: string) => string {
  // The longest first: one secret may be the beginning of another.
  const known = [...new Set(secrets.flatMap(spellings))]
    .filter((text) => text !== '')
    .sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text.replaceAll(urlCredentials, `$1${replacement}@`);
    for (const secret of known) clean = clean.replaceAll(secret, replacement);
    return clean;
  };
}

/** As it is, and as it stands in JSON, in a URL, in a form, and in base64 of basic authentication. */
function spellings(secret: string): readonly string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const encoded = encodeURIComponent(secret.toWellFormed());
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
  return [secret, json, encoded, encoded.replaceAll('%20', '+'), base64];
}

/** Addresses of the web without what follows the host. */
export function withoutPaths(text: string): string {
  return text.replaceAll(/(\bhttps?:\/\/[^\s/"'<>]+)\/[^\s"'<>]+/gi, '$1/…');
}
