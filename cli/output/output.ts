/** Where a verb puts its result: tables and trees for people, JSON and CSV for programs. */
import type { Io, TextStream } from '../io.ts';
import { csvLine } from './csv.ts';
import { cutTo, safeText, widthOf } from './safe-text.ts';

export type Format = 'human' | 'json' | 'raw';

export type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

const codes: Readonly<Record<Colour, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: 'right';
  readonly colour?: (row: Row) => Colour | null;
  /** May be cut when the terminal is too narrow; columns without it keep their width. */
  readonly flexible?: boolean;
}

const gap = '  ';
const narrowest = 12;

export class Output {
  readonly format: Format;
  readonly #out: TextStream;
  readonly #coloured: boolean;

  constructor(io: Io, format: Format) {
    this.format = format;
    this.#out = io.stdout;
    this.#coloured = usesColour(io.stdout, io.env);
  }

  /** How wide a line may be: the terminal's width, or without end where no person looks. */
  get columns(): number {
    return this.#out.isTTY === true ? (this.#out.columns ?? 80) : Number.POSITIVE_INFINITY;
  }

  /** One line of the program's own words; what came from outside must have been through `safeText`. */
  line(text = ''): void {
    this.#out.write(`${text}\n`);
  }

  /** As it is, without a line end of its own: scripts, keys. */
  text(text: string): void {
    this.#out.write(text);
  }

  json(value: unknown): void {
    this.#out.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  csv(header: readonly string[], rows: readonly (readonly (string | number | boolean)[])[]): void {
    this.#out.write([header, ...rows].map((row) => `${csvLine(row)}\n`).join(''));
  }

  paint(colour: Colour | null, text: string): string {
    if (!this.#coloured || colour === null || text === '') return text;
    const [on, off] = codes[colour];
    return `\x1b[${on}m${text}\x1b[${off}m`;
  }

  /** Aligned columns under dim titles. Values are made safe here; a column without any value is left out. */
  table<Row>(every: readonly Column<Row>[], rows: readonly Row[]): void {
    const columns = every.filter(({ value }) => rows.some((row) => value(row) !== ''));
    const cells = rows.map((row) => columns.map(({ value }) => safeText(value(row))));
    const widths = columns.map(({ title }, index) =>
      Math.max(widthOf(title), ...cells.map((row) => widthOf(row[index] ?? ''))),
    );
    this.#fit(widths, columns);
    this.line(
      this.paint(
        'dim',
        this.#row(
          columns,
          widths,
          columns.map(({ title }) => title),
          null,
        ),
      ),
    );
    for (const [index, row] of rows.entries()) this.line(this.#row(columns, widths, cells[index] ?? [], row));
  }

  /** `name   value` pairs below each other. */
  pairs(entries: readonly (readonly [name: string, value: string])[], indent = ''): void {
    const width = Math.max(0, ...entries.map(([name]) => widthOf(name)));
    for (const [name, value] of entries) {
      if (value !== '') this.line(`${indent}${this.paint('dim', name.padEnd(width))}${gap}${value}`);
    }
  }

  heading(text: string): void {
    this.line(this.paint('bold', text));
  }

  #row<Row>(
    columns: readonly Column<Row>[],
    widths: readonly number[],
    texts: readonly string[],
    row: Row | null,
  ): string {
    const parts = columns.map(({ align, colour }, index) => {
      const width = widths[index] ?? 0;
      const text = cutTo(texts[index] ?? '', width);
      const padding = ' '.repeat(Math.max(0, width - widthOf(text)));
      const painted = this.paint(row === null ? null : (colour?.(row) ?? null), text);
      return align === 'right' ? padding + painted : painted + padding;
    });
    return parts.join(gap).trimEnd();
  }

  /** Takes from the widest flexible column until the table fits; only where a person looks at it. */
  #fit<Row>(widths: number[], columns: readonly Column<Row>[]): void {
    const room = this.columns;
    for (;;) {
      const total = widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1));
      if (total <= room) return;
      let widest = -1;
      for (const [index, { flexible }] of columns.entries()) {
        if (flexible === true && (widest === -1 || (widths[index] ?? 0) > (widths[widest] ?? 0))) widest = index;
      }
      if (widest === -1 || (widths[widest] ?? 0) <= narrowest) return;
      widths[widest] = Math.max(narrowest, (widths[widest] ?? 0) - (total - room));
    }
  }
}

/** On a terminal, unless NO_COLOR says otherwise (no-color.org); FORCE_COLOR for those who page. */
export function usesColour(stream: TextStream, env: Io['env']): boolean {
  if ((env.NO_COLOR ?? '') !== '') return false;
  if ((env.FORCE_COLOR ?? '') !== '' && env.FORCE_COLOR !== '0') return true;
  return stream.isTTY === true && env.TERM !== 'dumb';
}
