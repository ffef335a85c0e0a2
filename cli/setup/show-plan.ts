/** How `setup detect` shows its plan to people. */
import type { Evidence, FoundService, LogSource } from '../../detectors/setup/find-services.ts';
import type { PlannedFile, SetupPlan } from '../../detectors/setup/setup-plan.ts';
import { calledAs } from '../invocation.ts';
import type { Colour, Output } from '../output/output.ts';
import { safeText } from '../output/safe-text.ts';
import { plural } from '../show.ts';

export function showPlan(output: Output, plan: SetupPlan): void {
  showServices(output, plan);
  showFiles(output, plan);
  showCollections(output, plan);
}

export function describeSource(source: LogSource): string {
  switch (source.from) {
    case 'files':
      return source.paths.join(' ');
    case 'syslog':
      return source.path;
    case 'journal':
      return `journal: ${source.matches.join(' ')}`;
    default:
      return source satisfies never;
  }
}

function showServices(output: Output, { services, contained, docker }: SetupPlan): void {
  output.heading(services.length === 0 ? 'No service was found that is known here.' : 'Services');
  if (services.length > 0) {
    output.table(
      [
        { title: '', value: ({ source }) => (source === null ? '·' : '✓'), colour: sourceColour },
        { title: 'SERVICE', value: ({ service }) => service.title },
        { title: 'FOUND', value: ({ evidence }) => evidence.map(describeEvidence).join(', ') },
        {
          title: 'READS',
          value: readsOf,
          flexible: true,
        },
      ],
      services,
    );
  }
  for (const { service, notes } of services) {
    for (const text of notes) note(output, text.startsWith(service.title) ? text : `${service.title}: ${text}`);
  }
  if (docker === null && contained.length === 0) return;
  const names = contained.map(({ title }) => title).join(', ');
  note(
    output,
    `${names === '' ? 'Docker is here' : `In containers: ${names}`}. Logs of containers are read with a document of your own (source: docker).`,
  );
}

/** A remark, broken between words where a terminal ends. */
function note(output: Output, text: string): void {
  const room = output.columns - 5;
  let line = '';
  let mark = output.paint('yellow', '!');
  for (const word of safeText(text).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      output.line(`  ${mark} ${line}`);
      mark = ' ';
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  output.line(`  ${mark} ${line}`);
}

function readsOf({ service, source }: FoundService): string {
  if (source !== null) return describeSource(source);
  return service.logs === undefined && service.syslog === undefined ? "its web server's log" : 'nothing yet';
}

function describeEvidence({ kind, what }: Evidence): string {
  switch (kind) {
    case 'running':
      return 'running';
    case 'unit':
      return 'installed';
    case 'file':
      return what;
    default:
      return kind satisfies never;
  }
}

function sourceColour({ source }: FoundService): Colour {
  return source === null ? 'dim' : 'green';
}

const actions: Readonly<Record<PlannedFile['action'], readonly [mark: string, colour: Colour, word: string]>> = {
  create: ['+', 'green', 'create'],
  update: ['~', 'yellow', 'update'],
  unchanged: ['=', 'dim', 'is as it should be'],
  keep: ['=', 'yellow', 'keep'],
  covered: ['=', 'dim', 'leave out'],
};

function showFiles(output: Output, { folder, files }: SetupPlan): void {
  if (files.length === 0) return;
  output.line();
  output.heading(`Acquisition files in ${safeText(folder)}`);
  output.table(
    [
      { title: '', value: ({ action }) => actions[action][0], colour: ({ action }) => actions[action][1] },
      { title: 'FILE', value: ({ name }) => name },
      { title: 'WHAT', value: ({ action, reason }) => [actions[action][2], reason].filter(Boolean).join(': ') },
      { title: 'FOR', value: ({ services }) => services.join(', '), flexible: true },
    ],
    files,
  );
}

function showCollections(output: Output, { services, collections }: SetupPlan): void {
  if (collections.length === 0) return;
  output.line();
  output.heading('Parsers and scenarios');
  const builtin = services.filter(({ service }) => service.builtin).map(({ service }) => service.title);
  if (builtin.length > 0) output.line(`  Those for ${builtin.join(', ')} ship with Portcullis.`);
  output.line(
    `  The hub has ${plural(collections.length, 'collection')} for what was found; --install installs them, or:`,
  );
  output.line(`  ${output.paint('cyan', `${calledAs} hub install ${collections.join(' ')}`)}`);
}

/** Whose gateway reads the folder of acquisition files: the one here, that of the machine whose disk it is, or none yet. */
export type FolderReader = 'here' | 'there' | 'none';

/** What to do next, and how to take it back. */
export function showUndo(output: Output, plan: SetupPlan, written: readonly PlannedFile[], reader: FolderReader): void {
  showReader(output, plan.folder, reader);
  const created = written.filter(({ action }) => action === 'create').map(({ path }) => shellWord(path));
  if (created.length > 0) output.line(`  To undo: ${output.paint('cyan', `rm ${created.join(' ')}`)}`);
}

function showReader(output: Output, folder: string, reader: FolderReader): void {
  switch (reader) {
    case 'here':
      output.line('  Restart the gateway to have them read.');
      return;
    case 'there':
      output.line('  The gateway of that machine reads them when it starts, with its data in /var/lib/portcullis.');
      return;
    case 'none':
      output.line('  Name the folder in the settings, and restart the gateway:');
      output.line(`  ${output.paint('cyan', `acquisition: {files: [${JSON.stringify(folder)}]}`)}`);
      return;
    default:
      reader satisfies never;
  }
}

function shellWord(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
