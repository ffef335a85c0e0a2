/** What goes into a support dump: the answers of other verbs, and what this machine is. Nothing here may hold a secret. */
import { arch, cpus, loadavg, release, totalmem, type, uptime, version as systemVersion } from 'node:os';
import { stringify } from 'yaml';
import { GatewayError, messageOf } from '../../core/errors.ts';
import { packageVersion } from '../../core/package-root.ts';
import type { LogModel } from '../../gateway/admin/models.ts';
import { parseCommand } from '../arguments.ts';
import type { Call, Command } from '../command.ts';
import { bouncersList } from '../commands/bouncers-list.ts';
import { doctor } from '../commands/doctor.ts';
import { hubList } from '../commands/hub-list.ts';
import { lapiStatus } from '../commands/lapi-status.ts';
import { machinesList } from '../commands/machines-list.ts';
import { metrics } from '../commands/metrics.ts';
import { notificationsList } from '../commands/notifications-list.ts';
import { simulationStatus } from '../commands/simulation-status.ts';
import { status } from '../commands/status.ts';
import { wafExceptionsList } from '../commands/waf-exceptions-list.ts';
import { Output } from '../output/output.ts';
import { settingsHere } from '../settings-here.ts';
import { createScrubber, withoutPaths } from './scrub.ts';

export interface DumpedFile {
  readonly name: string;
  readonly text: string;
}

export interface Dump {
  readonly files: readonly DumpedFile[];
  /** What could not be had, and why. */
  readonly missing: readonly string[];
}

/** Verbs whose answer goes in as JSON, each into a file of its name. */
const asked: readonly Command[] = [
  status,
  doctor,
  metrics,
  lapiStatus,
  bouncersList,
  machinesList,
  notificationsList,
  simulationStatus,
  wafExceptionsList,
  hubList,
];

/** Of one answer. */
const longestAnswer = 16 * 1_048_576;

export async function gatherDump(call: Call): Promise<Dump> {
  const files: DumpedFile[] = [{ name: 'version.txt', text: versionText(call) }];
  const missing: string[] = [];
  let scrub = createScrubber([]);
  try {
    const settings = await settingsHere(call.given.text('config'), call.io);
    const { redactedSettings, secretsOf } = await import('../../gateway/settings.ts');
    scrub = createScrubber(secretsOf(settings));
    files.push({ name: 'settings.yaml', text: stringify(redactedSettings(settings)) });
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    // What is wrong with them may quote them.
    missing.push(`settings: ${thrown.code}; see \`validate\``);
  }
  for (const command of asked) {
    const answer = await answerOf(command, call);
    const name = command.name.replaceAll(' ', '-');
    // The path of a webhook is as good as a password.
    if ('text' in answer) {
      const text = command === notificationsList ? withoutPaths(answer.text) : answer.text;
      files.push({ name: `${name}.json`, text });
    } else missing.push(`${command.name}: ${answer.problem}`);
  }
  try {
    const { text } = await (await call.gateway()).ask<LogModel>('GET', '/v1/log');
    files.push({ name: 'log.txt', text: withoutPaths(text) });
  } catch (thrown) {
    missing.push(`log: ${problemOf(thrown)}`);
  }
  if (missing.length > 0) files.push({ name: 'missing.txt', text: `${missing.join('\n')}\n` });
  return {
    files: files.map(({ name, text }) => ({ name, text: scrub(text) })),
    missing: missing.map(scrub),
  };
}

async function answerOf(
  command: Command,
  call: Call,
): Promise<{ readonly text: string } | { readonly problem: string }> {
  let text = '';
  const stdout = {
    write(part: string) {
      if (text.length < longestAnswer) text += part;
    },
  };
  const io = { ...call.io, stdout, stderr: stdout };
  const common = ['config', 'socket'].flatMap((name) => {
    const value = call.given.text(name);
    return value === undefined ? [] : [`--${name}=${value}`];
  });
  try {
    const given = parseCommand(command, common);
    await command.run({ ...call, io, given, output: new Output(io, 'json') });
    return { text };
  } catch (thrown) {
    return { problem: problemOf(thrown) };
  }
}

function problemOf(thrown: unknown): string {
  return thrown instanceof GatewayError ? `${thrown.code}: ${thrown.message}` : messageOf(thrown);
}

function versionText({ clock }: Call): string {
  const lines = [
    `Portcullis ${packageVersion()}`,
    `Node ${process.versions.node} (V8 ${process.versions.v8}, OpenSSL ${process.versions.openssl})`,
    `${type()} ${release()} ${arch()}, ${systemVersion()}`,
    `${cpus().length} processors, load ${loadavg()
      .map((load) => load.toFixed(2))
      .join(' ')}`,
    `${Math.round(totalmem() / 1_048_576)} MB of memory, up for ${Math.round(uptime() / 3_600)} h`,
    `dumped at ${new Date(clock.now()).toISOString()}`,
  ];
  return `${lines.join('\n')}\n`;
}
