/**
 * What `npm test` shows: a line for each file, every failure with its diagnosis, every skip with its reason, and last of all
 * `N passed, M failed` (with `, K skipped` where there are some). A file that crashes or times out without a failed
 * assertion of its own counts as one failure. tap loads the default export and pipes its TAP stream through it.
 */
import { writeSync } from 'node:fs';
import { Transform, type TransformCallback } from 'node:stream';
import { inspect } from 'node:util';
import { Parser, type Result } from 'tap-parser';

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** Of a failed assertion's diagnosis: what the other lines say already. */
const knownFields = new Set(['at', 'diff', 'stack', 'source', 'compare', 'found', 'wanted', 'tapCaught']);
/** A diagnosis is cut there: a failed comparison of two large tables fills screens otherwise. */
const longestDiagnosis = 60;

export default class Reporter extends Transform {
  readonly #parser = new Parser();
  readonly #total: Tally = { passed: 0, failed: 0, skipped: 0 };
  readonly #failures: string[] = [];
  #file: Tally = { passed: 0, failed: 0, skipped: 0 };
  #details: string[] = [];
  /** The last assertion at the top: it sums a file up and is not counted with the assertions inside. */
  #closing: Result | null = null;
  #finished = false;

  constructor() {
    super({ decodeStrings: false, encoding: 'utf8' });
    const parser = this.#parser;
    parser.on('assert', (result: Result) => this.#closeFile(result));
    parser.on('pass', (result: Result) => result !== this.#closing && this.#file.passed++);
    parser.on('fail', (result: Result) => result !== this.#closing && this.#failed(result.fullname, diagnosis(result)));
    parser.on('skip', (result: Result) => result !== this.#closing && this.#skipped('skip', result));
    parser.on('todo', (result: Result) => result !== this.#closing && this.#skipped('todo', result));
    parser.on('bailout', (reason: string) => this.#failed(`bailed out: ${reason}`, []));
    this.#follow(parser);
    // When the runner itself dies, the counts are still the last line, and they do not look like a success.
    process.on('exit', () => {
      if (this.#finished) return;
      this.#failed('the test runner ended before all files had run', []);
      writeSync(1, this.#ending());
      process.exitCode ||= 1;
    });
  }

  override _transform(chunk: Buffer | string, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#parser.write(chunk.toString());
    done();
  }

  override _flush(done: TransformCallback): void {
    this.#parser.end();
    this.#finished = true;
    const ending = this.#ending();
    if (this.#total.failed > 0) process.exitCode ||= 1;
    done(null, ending);
  }

  /** Passes on what tests say with `t.comment`, at any depth, and not what tap says about itself. */
  #follow(parser: Parser): void {
    parser.on('comment', (comment: string) => {
      if (!/^# (?:Subtest|time=|failed |No coverage|\{ total|test count|no tests found|skip: )/.test(comment)) {
        this.#details.push(`  ${comment.trimEnd()}`);
      }
    });
    parser.on('extra', (text: string) => void this.#details.push(...indented(text.trimEnd().split('\n'))));
    parser.on('child', (child: Parser) => this.#follow(child));
  }

  #failed(name: string, lines: readonly string[]): void {
    this.#file.failed++;
    this.#failures.push(name);
    this.#details.push(`  ✗ ${name}`, ...indented(indented(lines)));
  }

  #skipped(kind: 'skip' | 'todo', result: Result): void {
    this.#file.skipped++;
    const reason = result[kind];
    this.#details.push(`  ${kind}: ${result.fullname}${typeof reason === 'string' && reason ? ` (${reason})` : ''}`);
  }

  /** An assertion at the top is the end of a file. */
  #closeFile(result: Result): void {
    this.#closing = result;
    const { exitCode, signal, expired } = (result.diag ?? {}) as Record<string, unknown>;
    // tap reports a file that ran out of time twice: under its own name, and once more for the whole run.
    if (typeof expired === 'string' && this.#failures.some((name) => name.startsWith(expired))) return;
    const empty = this.#file.passed + this.#file.failed + this.#file.skipped === 0;
    if (result.skip !== false || result.todo !== false) {
      if (empty) this.#skipped(result.skip === false ? 'todo' : 'skip', result);
    } else if (result.ok) {
      if (empty) this.#file.passed++;
    } else if (this.#file.failed === 0) {
      const end = typeof signal === 'string' ? `signal ${signal}` : `exit status ${inspect(exitCode)}`;
      this.#failed(`${result.name}: ended without its result (${end})`, []);
    }
    const { passed, failed, skipped } = this.#file;
    const time = result.time === null ? '' : ` in ${(result.time / 1000).toFixed(1)} s`;
    const word = failed > 0 ? 'FAIL' : skipped > 0 && passed === 0 ? 'skip' : 'ok  ';
    this.push(
      [`${word} ${result.name}: ${counts({ passed, failed, skipped })}${time}`, ...this.#details, ''].join('\n'),
    );
    this.#clearFile();
  }

  #clearFile(): void {
    this.#total.passed += this.#file.passed;
    this.#total.failed += this.#file.failed;
    this.#total.skipped += this.#file.skipped;
    this.#file = { passed: 0, failed: 0, skipped: 0 };
    this.#details = [];
  }

  #ending(): string {
    const open = this.#details;
    this.#clearFile();
    const recap =
      this.#failures.length > 0 ? ['', 'Failed:', ...this.#failures.map((name) => `  ✗ ${shortened(name)}`)] : [];
    return [...open, ...recap, '', counts(this.#total), ''].join('\n');
  }
}

function counts({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** Messages of raised errors become names of assertions, and some fill a page. */
function shortened(name: string): string {
  const line = name.split('\n', 1)[0] ?? name;
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** Place, difference and whatever else the assertion knows, as lines. */
function diagnosis({ diag }: Result): string[] {
  if (typeof diag !== 'object' || diag === null) return [];
  const fields = diag as Record<string, unknown>;
  const lines: string[] = [];
  const at = fields.at as { fileName?: string; lineNumber?: number; columnNumber?: number } | undefined;
  if (at?.fileName) lines.push(`at ${at.fileName}:${at.lineNumber}:${at.columnNumber}`);
  if (typeof fields.diff === 'string') lines.push(...fields.diff.trimEnd().split('\n'));
  else {
    for (const name of ['found', 'wanted'])
      if (name in fields) lines.push(`${name}: ${inspect(fields[name], { depth: 4 })}`);
  }
  for (const [name, value] of Object.entries(fields)) {
    if (!knownFields.has(name))
      lines.push(`${name}: ${typeof value === 'string' ? value : inspect(value, { depth: 4 })}`);
  }
  if (typeof fields.stack === 'string') lines.push(...fields.stack.trimEnd().split('\n'));
  const split = lines.flatMap((line) => line.split('\n'));
  const cut = split.length - longestDiagnosis;
  return cut > 0 ? [...split.slice(0, longestDiagnosis), `… and ${cut} more lines`] : split;
}
