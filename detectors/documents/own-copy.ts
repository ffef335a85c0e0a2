/** A text of its own: V8's slices keep alive the longer text that they were cut from. */
export function ownCopy(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
