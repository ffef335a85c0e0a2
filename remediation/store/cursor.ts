/**
 * A place in a store's order of writes: which history (`epoch`, new with every new file or emptied server) and how far.
 * Spelled `epoch-position`, opaque to everyone else.
 */
export interface Cursor {
  readonly epoch: string;
  readonly position: number;
}

export function formatCursor(epoch: string, position: number): string {
  return `${epoch}-${position}`;
}

/** Null when `text` is no cursor: whoever hands one in starts anew. */
export function parseCursor(text: string | null | undefined): Cursor | null {
  const match = /^([0-9a-z]{1,40})-(\d{1,16})$/.exec(text ?? '');
  if (!match) return null;
  const position = Number(match[2]);
  return Number.isSafeInteger(position) ? { epoch: match[1] ?? '', position } : null;
}

/** The position after which a listing goes on, newest first; everything when the cursor is of another history. */
export function listingStart(after: string | undefined, epoch: string): number {
  const cursor = parseCursor(after);
  return cursor?.epoch === epoch ? cursor.position : Number.MAX_SAFE_INTEGER;
}
