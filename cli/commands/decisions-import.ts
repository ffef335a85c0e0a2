/** `decisions import` */
import { basename } from 'node:path';
import { exitStatus, GatewayError } from '../../core/errors.ts';
import type { ImportModel, ImportRow } from '../../gateway/admin/models.ts';
import type { Call, Command } from '../command.ts';
import type { ImportEntry, LineFault } from '../import/import-entry.ts';
import { inputBytes } from '../import/input-bytes.ts';
import { formatNamed, listFormats, readList } from '../import/read-list.ts';
import { createProgressLine } from '../output/progress-line.ts';
import { safeText } from '../output/safe-text.ts';
import { sizeText } from '../output/sizes.ts';
import { plural } from '../show.ts';

export const decisionsImport: Command = {
  name: 'decisions import',
  summary: 'refuse a whole list: CSV, JSON or plain values',
  usage: '-i <file> | -i -',
  examples: [
    ['portcullis decisions import -i feed.txt --duration 24h --reason "bad feed"', 'one address or range on each line'],
    ['portcullis decisions import -i decisions.csv', 'a header names the columns: value,scope,type,duration,reason'],
    ['portcullis decisions import -i decisions.json', '[{"value": "203.0.113.9", "duration": "4h", "scope": "ip"}]'],
    ['curl -s https://feed.example/list | portcullis decisions import -i - --format values', 'from standard input'],
  ],
  options: {
    input: { type: 'string', short: 'i', placeholder: '<file>', help: 'the list; - for standard input' },
    format: { type: 'string', placeholder: '<format>', choices: listFormats, help: 'csv, json or values' },
    duration: {
      type: 'string',
      short: 'd',
      placeholder: '<duration>',
      help: 'how long, where the list does not say (4h)',
    },
    scope: { type: 'string', placeholder: '<scope>', help: 'what is meant, where the list does not say (Ip)' },
    type: { type: 'string', short: 't', placeholder: '<type>', help: 'ban, captcha or throttle (ban)' },
    reason: { type: 'string', short: 'R', placeholder: '<text>', help: 'why, where the list does not say (manual)' },
    batch: {
      type: 'string',
      short: 'b',
      placeholder: '<count>',
      help: 'an alert for each so many decisions (one for all)',
    },
  },
  positionals: { least: 0, most: 0 },
  run,
};

/** Lines that were not understood: so many are shown. */
const mostShown = 20;
/** Entries of one line on the control socket. */
const slice = 1_000;

interface Progress {
  entries: number;
  bytes: number;
  malformed: number;
  /** The first of those that could not be read. */
  readonly faults: LineFault[];
}

async function run(call: Call): Promise<number> {
  const { given, gateway, io, clock } = call;
  const input = given.text('input');
  if (input === undefined) {
    throw new GatewayError('USAGE', 'nothing says what to import', {
      remedy: 'Name a file with --input, or - for standard input.',
    });
  }
  const format = formatNamed(given.text('format'), input);
  const client = await gateway();
  const title = input === '-' ? 'import stdin' : `import ${basename(input)}`;
  const query = {
    ...Object.fromEntries(['scope', 'type', 'duration', 'reason', 'batch'].map((name) => [name, given.text(name)])),
    title: title.replace(/[\x00-\x1f\x7f]/g, '?').slice(0, 256),
  };
  const progress: Progress = { entries: 0, bytes: 0, malformed: 0, faults: [] };
  const line = createProgressLine(io.stderr, clock);
  async function* rows(): AsyncGenerator<string> {
    let waiting: ImportRow[] = [];
    for await (const part of readList(inputBytes(input ?? '-', io), format)) {
      progress.bytes = part.bytes;
      progress.malformed += part.faults.length;
      progress.faults.push(...part.faults.slice(0, mostShown - progress.faults.length));
      for (const entry of part.entries) {
        waiting.push(rowOf(entry));
        progress.entries++;
        if (waiting.length < slice) continue;
        yield JSON.stringify(waiting);
        waiting = [];
      }
      line.show(() => `${progress.entries.toLocaleString('en')} entries, ${sizeText(progress.bytes)}`);
    }
    if (waiting.length > 0) yield JSON.stringify(waiting);
  }
  try {
    const result = await client.send<ImportModel>('/v1/decisions/import', query, rows());
    return show(call, result, progress);
  } finally {
    line.clear();
  }
}

function rowOf({ line, value, scope, type, duration, reason, origin }: ImportEntry): ImportRow {
  if (
    scope === undefined &&
    type === undefined &&
    duration === undefined &&
    reason === undefined &&
    origin === undefined
  )
    return [line, value];
  return [line, value, scope ?? null, type ?? null, duration ?? null, reason ?? null, origin ?? null];
}

function show({ output, io }: Call, result: ImportModel, read: Progress): number {
  const { imported, allowlisted } = result;
  const malformed = result.malformed + read.malformed;
  const faults = [...read.faults, ...result.faults].sort((a, b) => a.line - b.line);
  switch (output.format) {
    case 'json':
      output.json({ ...result, malformed, faults });
      break;
    case 'raw':
      output.line(String(imported));
      break;
    case 'human':
      output.line(
        imported === 0 ? 'Nothing was imported.' : `Imported ${plural(imported, 'decision')}, enforced from now on.`,
      );
      if (allowlisted > 0)
        output.line(`${plural(allowlisted, 'entry', 'entries')} left out: an allowlist covers them.`);
      break;
    default:
      return output.format satisfies never;
  }
  if (malformed === 0) return exitStatus.ok;
  if (output.format !== 'json') {
    const shown = faults.slice(0, mostShown);
    for (const { line, message } of shown) io.stderr.write(`line ${line}: ${safeText(message)}\n`);
    if (malformed > shown.length) io.stderr.write(`… and ${malformed - shown.length} more\n`);
    io.stderr.write(`${plural(malformed, 'line')} not understood.\n`);
  }
  return exitStatus.failed;
}
