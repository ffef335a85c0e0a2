/** Sizes as people write them: `16KiB`, `1.5MiB`, `64kB`, `0`; a bare number is bytes. Units of 1024 and of 1000 differ. */

const unitBytes: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  tb: 1000 ** 4,
};

/** Whole bytes, or null when `text` is not a size or not a whole number of bytes that a double holds exactly. */
export function parseByteSize(text: string): number | null {
  const match = /^(\d{1,16}(?:\.\d{1,6})?) ?([A-Za-z]{0,3})$/.exec(text);
  const unit = match && unitBytes[(match[2] ?? '').toLowerCase()];
  if (!match || unit === null || unit === undefined) return null;
  const bytes = Number(match[1]) * unit;
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** The shortest spelling that `parseByteSize` reads back as the same number: `16KiB`, `1500`. */
export function formatByteSize(bytes: number): string {
  for (const [name, unit] of [
    ['TiB', 1024 ** 4],
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const) {
    if (bytes >= unit && bytes % unit === 0) return `${bytes / unit}${name}`;
  }
  return String(bytes);
}
