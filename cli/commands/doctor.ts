/** `doctor`: what is well, what is not, and what to do about it. */
import { exitStatus, GatewayError } from '../../core/errors.ts';
import type { DoctorCheck, DoctorModel } from '../../gateway/admin/models.ts';
import type { Call, Command } from '../command.ts';
import type { Colour, Output } from '../output/output.ts';
import { safeText } from '../output/safe-text.ts';
import { plural } from '../show.ts';

export const doctor: Command = {
  name: 'doctor',
  summary: 'check everything, with a remedy for what is wrong',
  usage: '[--peer <address> --header <header>…]',
  examples: [
    ['portcullis doctor', 'exits 1 when something is wrong'],
    ["portcullis doctor --peer 10.0.0.1 --header 'X-Forwarded-For: 203.0.113.9'", 'who a client would be taken for'],
  ],
  options: {
    peer: { type: 'string', short: 'p', placeholder: '<address>', help: 'whose connection it would be (127.0.0.1)' },
    header: {
      type: 'string',
      short: 'H',
      multiple: true,
      placeholder: '<header>',
      help: 'a header of it; may be given again',
    },
  },
  positionals: { least: 0, most: 0 },
  run,
};

async function run(call: Call): Promise<number> {
  const { output, given } = call;
  const { checks, absent } = await gather(call);
  const failed = checks.filter(({ status }) => status === 'fail').length;
  switch (output.format) {
    case 'json':
      output.json({ ok: failed === 0, checks });
      break;
    case 'raw':
      output.csv(
        ['group', 'name', 'status', 'message', 'remedy'],
        checks.map((one) => [one.group, one.name, one.status, one.message, one.remedy ?? '']),
      );
      break;
    case 'human':
      showChecks(output, checks);
      showSum(output, checks, given.text('peer') === undefined && given.texts('header').length === 0);
      break;
    default:
      return output.format satisfies never;
  }
  if (absent) return exitStatus.unavailable;
  return failed === 0 ? exitStatus.ok : exitStatus.failed;
}

/** Asks the gateway; when none runs, says so among what can be said without one. */
async function gather({ gateway, given }: Call): Promise<{ checks: readonly DoctorCheck[]; absent: boolean }> {
  const peer = given.text('peer');
  const query = { ...(peer === undefined ? {} : { peer }), header: given.texts('header') };
  try {
    const { checks } = await (await gateway()).ask<DoctorModel>('GET', '/v1/doctor', { query });
    return { checks, absent: false };
  } catch (thrown) {
    if (!(thrown instanceof GatewayError) || !unusable.has(thrown.code)) throw thrown;
    const local: DoctorCheck = {
      group: 'runtime',
      name: 'version',
      status: 'ok',
      message: `Node ${process.versions.node}`,
      remedy: null,
    };
    const absent = thrown.code === 'GATEWAY_ABSENT';
    const group = absent ? 'gateway' : 'settings';
    const missing: DoctorCheck = {
      group,
      name: absent ? 'running' : 'file',
      status: 'fail',
      message: thrown.message,
      remedy: thrown.remedy,
    };
    return { checks: [local, missing], absent };
  }
}

const unusable: ReadonlySet<string> = new Set(['GATEWAY_ABSENT', 'SETTINGS_INVALID', 'SETTINGS_UNREADABLE']);

const marks: Readonly<Record<DoctorCheck['status'], readonly [mark: string, colour: Colour]>> = {
  ok: ['✓', 'green'],
  warn: ['!', 'yellow'],
  fail: ['✗', 'red'],
};

function showChecks(output: Output, checks: readonly DoctorCheck[]): void {
  const width = Math.max(...checks.map(({ name }) => Math.min(name.length, widestName)));
  let group = '';
  for (const check of checks) {
    if (check.group !== group) {
      if (group !== '') output.line();
      output.heading(check.group);
      ({ group } = check);
    }
    const [mark, colour] = marks[check.status];
    output.line(
      `  ${output.paint(colour, mark)} ${output.paint('dim', safeText(check.name).padEnd(width))}  ${safeText(check.message)}`,
    );
    if (check.remedy !== null && check.status !== 'ok')
      output.line(`    ${' '.repeat(width)}  ${output.paint(colour, `→ ${safeText(check.remedy)}`)}`);
  }
}

const widestName = 24;

function showSum(output: Output, checks: readonly DoctorCheck[], hint: boolean): void {
  const failed = checks.filter(({ status }) => status === 'fail').length;
  const warned = checks.filter(({ status }) => status === 'warn').length;
  output.line();
  if (failed + warned === 0) output.line(output.paint('green', 'All is well.'));
  else
    output.line(
      [failed > 0 ? `${failed} wrong` : '', warned > 0 ? plural(warned, 'warning') : '']
        .filter((part) => part !== '')
        .join(', '),
    );
  if (hint && failed === 0)
    output.line(
      output.paint('dim', 'To see who a client would be taken for: doctor --peer <address> --header <header>'),
    );
}
