/** `allowlists import` */
import { exitStatus, GatewayError } from '../../core/errors.ts';
import { isAllowable } from '../allowlists/allowable.ts';
import { changeAllowlist } from '../allowlists/change-allowlist.ts';
import type { Call, Command } from '../command.ts';
import type { ImportEntry, LineFault } from '../import/import-entry.ts';
import { inputBytes } from '../import/input-bytes.ts';
import { formatNamed, listFormats, readList } from '../import/read-list.ts';
import { safeText } from '../output/safe-text.ts';
import { plural } from '../show.ts';

export const allowlistsImport: Command = {
  name: 'allowlists import',
  aliases: ['allowlist import'],
  summary: 'add a whole list to an allowlist',
  usage: '<name> -i <file>',
  examples: [
    ['portcullis allowlists import office -i office.txt', 'one address or range on each line; CSV and JSON too'],
  ],
  options: {
    input: { type: 'string', short: 'i', placeholder: '<file>', help: 'the list; - for standard input' },
    format: { type: 'string', placeholder: '<format>', choices: listFormats, help: 'csv, json or values' },
    comment: { type: 'string', short: 'd', placeholder: '<text>', help: 'whose they are' },
    expiration: { type: 'string', short: 'e', placeholder: '<duration>', help: 'how long (for ever): 4h, 7d' },
  },
  positionals: { least: 1, most: 1, missing: 'no allowlist was named' },
  run,
};

const mostFaults = 20;
/** More would make every request slower, and nobody knows so many people. */
const mostEntries = 100_000;

async function run({ output, given, gateway, io }: Call): Promise<number> {
  const [list = ''] = given.positionals;
  const input = given.text('input');
  if (input === undefined) {
    throw new GatewayError('USAGE', 'nothing says what to import', {
      remedy: 'Name a file with --input, or - for standard input.',
    });
  }
  const entries: ImportEntry[] = [];
  const faults: LineFault[] = [];
  for await (const part of readList(inputBytes(input, io), formatNamed(given.text('format'), input))) {
    faults.push(...part.faults);
    for (const entry of part.entries) {
      if (isAllowable(entry.value)) entries.push(entry);
      else
        faults.push({
          line: entry.line,
          message: `"${entry.value.slice(0, 64)}" is not an address, a range or a host name`,
        });
    }
    if (entries.length > mostEntries)
      throw new GatewayError('USAGE', `an allowlist takes ${mostEntries} entries at once`);
  }
  const comment = given.text('comment');
  const expiration = given.text('expiration');
  const more = { ...(comment === undefined ? {} : { comment }), ...(expiration === undefined ? {} : { expiration }) };
  const values = entries.map(({ value }) => value);
  const result = await changeAllowlist(await gateway(), list, 'items', values, more);
  switch (output.format) {
    case 'json':
      output.json({ ...result, malformed: faults.length, faults: faults.slice(0, mostFaults) });
      break;
    case 'raw':
      output.line(String(result.changed.length));
      break;
    case 'human':
      output.line(`Added ${plural(result.changed.length, 'entry', 'entries')} to ${safeText(list)}.`);
      if (result.unchanged.length > 0) output.line(`${result.unchanged.length} stood there already.`);
      if (result.lifted > 0) output.line(`${plural(result.lifted, 'decision')} about them lifted.`);
      break;
    default:
      return output.format satisfies never;
  }
  for (const { line, message } of faults.slice(0, mostFaults)) io.stderr.write(`line ${line}: ${safeText(message)}\n`);
  if (faults.length > 0) io.stderr.write(`${plural(faults.length, 'line')} not understood.\n`);
  return faults.length === 0 ? exitStatus.ok : exitStatus.failed;
}
