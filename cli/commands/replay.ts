/** `replay`: what would have been noticed in a log that is already written. */
import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { exitStatus, GatewayError } from '../../core/errors.ts';
import type { Alert } from '../../detectors/alert.ts';
import type { Call, Command } from '../command.ts';
import { Output } from '../output/output.ts';
import { createProgressLine } from '../output/progress-line.ts';
import { safeText } from '../output/safe-text.ts';
import type { LogBytes } from '../replay/log-bytes.ts';
import type { Replayed } from '../replay/replay-logs.ts';
import { plural, scopedValue } from '../show.ts';

export const replay: Command = {
  name: 'replay',
  summary: 'run a written log through parsers and scenarios and show the alerts',
  usage: '--type <type> [--items <folder>] <file>...',
  examples: [
    ['portcullis replay --type nginx /var/log/nginx/access.log', 'with the items that the gateway would use'],
    [
      'portcullis replay --type syslog --items /etc/crowdsec auth.log.1 auth.log',
      'with items of your own, in this order',
    ],
    ['zcat access.log.*.gz | portcullis replay --type nginx --json -', 'from standard input, as JSON'],
  ],
  options: {
    type: { type: 'string', short: 't', placeholder: '<type>', help: 'what wrote the log: nginx, apache2, syslog, …' },
    items: {
      type: 'string',
      placeholder: '<folder>',
      help: "parsers/<stage>/, scenarios/, postoverflows/<stage>/ and data/, laid out as CrowdSec's configuration",
    },
    data: { type: 'string', placeholder: '<folder>', help: 'where the data files are, if not in data/ of --items' },
    dns: { type: 'boolean', help: 'let items ask for the names of addresses, which the owners of those may see' },
  },
  positionals: { least: 1, most: 10_000, missing: 'no log was named; - is standard input' },
  run,
};

async function run(call: Call): Promise<number> {
  const { io, output, given, clock } = call;
  const type = given.text('type') ?? '';
  if (type === '') {
    throw new GatewayError('USAGE', '--type is missing', {
      remedy: 'Say what wrote the log: --type nginx; --type syslog for lines that begin as syslog writes them.',
    });
  }
  const logs = await openLogs(call);
  try {
    const [{ foldersFor }, { openEngine }, { replayLogs }, { progressText }] = await Promise.all([
      import('../engine/item-folders.ts'),
      import('../engine/open-engine.ts'),
      import('../replay/replay-logs.ts'),
      import('../replay/progress-text.ts'),
    ]);
    const engine = await openEngine(await foldersFor(call), { clock, dns: given.flag('dns') });
    // Lines come and go. For them the young generation stays as large as loading made it: V8 would let it grow to 130 MB.
    setFlagsFromString('--semi-space-growth-factor=1');
    const line = createProgressLine(io.stderr, clock);
    const startedAt = clock.monotonic();
    const interrupt = createInterrupt();
    try {
      const size = sizeOf(logs);
      const replayed = await replayLogs({
        logs,
        type,
        clock,
        engine: engine.engine,
        signal: interrupt.signal,
        onProgress: ({ lines, alerts }) => {
          const read = logs.reduce((sum, { position }) => sum + position(), 0);
          const share = size === null ? null : read / size;
          const elapsedMs = clock.monotonic() - startedAt;
          line.show(() => progressText({ share, lines, alerts: alerts.length, elapsedMs }));
        },
      });
      const figures = figuresOf(replayed.lines, clock.monotonic());
      line.clear();
      show(output, replayed);
      tell(call, replayed, figures, engine.faults);
      return replayed.interrupted ? exitStatus.failed : exitStatus.ok;
    } finally {
      line.clear();
      interrupt.close();
      engine.close();
    }
  } finally {
    for (const log of logs) await log.close();
  }
}

/** All of them at once: a name that is wrong should be known before an hour of work. */
async function openLogs({ io, given }: Call): Promise<LogBytes[]> {
  const { openLogFile, standardInput } = await import('../replay/log-bytes.ts');
  const logs: LogBytes[] = [];
  try {
    for (const name of given.positionals) {
      if (name !== '-') logs.push(await openLogFile(resolve(io.cwd, name), name));
      else if (io.stdin === undefined) throw new GatewayError('USAGE', 'there is no standard input to read');
      else logs.push(standardInput(io.stdin));
    }
    return logs;
  } catch (thrown) {
    for (const log of logs) await log.close();
    throw thrown;
  }
}

/** Null when one of them has no known end. */
function sizeOf(logs: readonly LogBytes[]): number | null {
  let total = 0;
  for (const { size } of logs) {
    if (size === null) return null;
    total += size;
  }
  return total === 0 ? null : total;
}

interface Interrupt {
  readonly signal: AbortSignal;
  close(): void;
}

/** The first interrupt ends the reading, and what is known is shown; the second ends the process as usual. */
function createInterrupt(): Interrupt {
  const controller = new AbortController();
  const names = ['SIGINT', 'SIGTERM'] as const;
  const stop = (): void => {
    controller.abort();
    close();
  };
  const close = (): void => {
    for (const name of names) process.off(name, stop);
  };
  for (const name of names) process.on(name, stop);
  return { signal: controller.signal, close };
}

interface Figures {
  readonly lines: number;
  readonly seconds: number;
  readonly cpu_seconds: number;
  readonly lines_per_second: number;
}

/** From the start of the process to the last alert; `seconds` come from a clock that began with the process. */
function figuresOf(lines: number, nowMs: number): Figures {
  const { user, system } = process.cpuUsage();
  const seconds = nowMs / 1000;
  const rounded = (value: number): number => Number(value.toFixed(3));
  return {
    lines,
    seconds: rounded(seconds),
    cpu_seconds: rounded((user + system) / 1e6),
    lines_per_second: Math.round(lines / seconds),
  };
}

/** The alerts, on standard output. */
function show(output: Output, { alerts }: Replayed): void {
  switch (output.format) {
    case 'json':
      output.json(alerts.map(modelOf));
      return;
    case 'raw':
      output.csv(
        ['scenario', 'scope', 'value', 'events_count', 'start_at', 'stop_at'],
        alerts
          .map(modelOf)
          .map((one) => [
            one.scenario,
            one.source.scope,
            one.source.value,
            one.events_count,
            one.start_at,
            one.stop_at,
          ]),
      );
      return;
    case 'human':
      if (alerts.length === 0) output.line('No alerts.');
      else output.table(columns, alerts);
      return;
    default:
      output.format satisfies never;
  }
}

const columns = [
  { title: 'SOURCE', value: ({ source }: Alert) => scopedValue(source), flexible: true },
  {
    title: 'SCENARIO',
    value: ({ scenario, simulated }: Alert) => (simulated ? `(simul) ${scenario}` : scenario),
    flexible: true,
  },
  { title: 'EVENTS', value: ({ eventsCount }: Alert) => String(eventsCount), align: 'right' },
  { title: 'FROM', value: ({ startAt }: Alert) => rfc3339(startAt) },
  { title: 'TO', value: ({ stopAt }: Alert) => rfc3339(stopAt) },
] as const;

/** Member names are CrowdSec's (`pkg/models/alert.go`). */
function modelOf({ scenario, source, eventsCount, startAt, stopAt }: Alert) {
  return {
    scenario,
    source: { scope: source.scope, value: source.value },
    events_count: eventsCount,
    start_at: rfc3339(startAt),
    stop_at: rfc3339(stopAt),
  };
}

/** As Go prints it: no fraction where there is none. */
function rfc3339(at: number): string {
  return new Date(at).toISOString().replace(/\.?0*Z$/, 'Z');
}

/** What there is to say besides the alerts, on standard error: figures, items that were refused, lines that were lost. */
function tell({ io, output }: Call, replayed: Replayed, figures: Figures, faults: readonly GatewayError[]): void {
  const error = new Output({ ...io, stdout: io.stderr }, 'human');
  if (output.format === 'json') {
    const refused = faults.map(({ code, message, remedy }) => ({ code, message, remedy }));
    io.stderr.write(`${JSON.stringify({ ...figures, ...(refused.length > 0 && { faults: refused }) })}\n`);
    return;
  }
  for (const fault of faults) {
    error.line(`${error.paint('yellow', 'not used:')} ${fault.message.split('\n').map(safeText).join('\n')}`);
  }
  const { lines, seconds, cpu_seconds, lines_per_second } = figures;
  const speed = `${count(lines)} lines in ${seconds.toFixed(1)} s (${cpu_seconds.toFixed(1)} s of CPU time)`;
  error.line(`${speed}, ${count(lines_per_second)} lines a second, ${plural(replayed.alerts.length, 'alert')}.`);
  for (const [number, what, why] of remarks(replayed)) {
    if (number > 0) error.line(error.paint('dim', `${count(number)} ${number === 1 ? what : `${what}s`} ${why}.`));
  }
  if (replayed.interrupted) error.line(error.paint('yellow', 'Interrupted: the logs were not read to their end.'));
}

function remarks(replayed: Replayed): readonly (readonly [number: number, what: string, why: string])[] {
  return [
    [replayed.discarded, 'line', 'understood by no parser'],
    [replayed.whitelisted, 'line', 'whitelisted'],
    [replayed.whitelistedOverflows, 'overflow', 'whitelisted'],
    [replayed.truncated, 'line', 'longer than 64 KiB, of which the rest was not read'],
  ];
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
