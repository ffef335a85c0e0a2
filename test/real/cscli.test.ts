/**
 * CrowdSec's unmodified `cscli` 1.4.6 from another machine, with our Local API as with its own: the same commands, the same output,
 * but for moments and for how dates are written.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createRemoteCscli } from '../support/servers/crowdsec-agent.ts';
import { startCrowdsecLapi } from '../support/servers/crowdsec-lapi.ts';
import { temporaryFolder } from '../support/servers/process.ts';
import { haveRealPrograms } from '../support/servers/real-programs.ts';
import { startOwnPeer } from './own-peer.ts';
import type { ScenePeer } from './scenes.ts';

/** `{folder}` holds `values.csv` and `values.json`. */
const commands: readonly string[] = [
  'lapi status',
  'decisions list',
  'decisions add -i 192.0.2.1',
  'decisions add -r 198.51.100.0/24 -t captcha -d 1h -R noise',
  'decisions add --scope Country -v XX -d 30m',
  'decisions add --scope username -v alice -d 24h -R test/session',
  'decisions add -i 2001:db8::1 -d 2h',
  'decisions add -i nonsense',
  'decisions list -o raw',
  'decisions list -o json',
  'decisions list -i 192.0.2.1 -o raw',
  'decisions list -i 198.51.100.77 -o raw',
  'decisions list -r 198.51.100.0/24 -o raw',
  'decisions list --scope Country -o raw',
  'decisions list --scope username -v alice -o raw',
  'decisions list -t captcha -o raw',
  'decisions list -s noise -o raw',
  'decisions list --origin cscli -o raw',
  'decisions list --origin nobody -o raw',
  'decisions list --since 1h -o raw',
  'decisions list --until 1h -o raw',
  'decisions list -a -o raw',
  'alerts list -o raw',
  'alerts list -i 192.0.2.1 -o raw',
  'alerts list --scope Range -o raw',
  'alerts list -l 2 -o raw',
  'alerts list --type captcha -o raw',
  'alerts list -o json',
  'alerts inspect 1',
  'alerts inspect 1 -d',
  'alerts inspect 2 -o json',
  'alerts inspect 99',
  // From here on with -a: without it 1.4.6 shows no imported decisions.
  'decisions import -i {folder}/values.csv',
  'decisions import -i {folder}/values.json',
  'decisions list -a --origin cscli-import -o raw',
  'decisions delete -i 192.0.2.250',
  'decisions delete -i 192.0.2.1',
  'decisions delete -r 198.51.100.0/24',
  'decisions delete -v alice',
  'decisions delete --id 3',
  'decisions delete --id 99',
  'decisions list -a -o raw',
  'alerts delete -i 192.0.2.1',
  'alerts delete --scope Country -v XX',
  'decisions delete --all',
  'decisions list',
  'alerts delete --all',
  'alerts list',
];

t.test("cscli says the same of our Local API as of CrowdSec's", async (t) => {
  if (!haveRealPrograms(t, ['crowdsec'])) return;
  const [theirs, ours] = await Promise.all([
    startCrowdsecLapi(t).then((lapi) => transcript(t, lapi)),
    startOwnPeer(t).then((lapi) => transcript(t, lapi)),
  ]);
  t.equal(theirs.length, commands.length);
  for (const [index, command] of commands.entries()) t.same(ours[index], theirs[index], command);
});

/** What cscli answered to each command, made comparable. */
async function transcript(t: Test, lapi: ScenePeer): Promise<object[]> {
  const cscli = await createRemoteCscli(t, await lapi.addMachine('laptop'));
  const folder = await temporaryFolder(t, 'cscli');
  await writeFile(join(folder, 'values.csv'), 'duration,scope,value\n24h,ip,192.0.2.20\n2h,range,192.0.2.128/28\n');
  const values = [{ duration: '4h', scope: 'ip', type: 'ban', value: '192.0.2.21' }];
  await writeFile(join(folder, 'values.json'), JSON.stringify(values));
  const answers: object[] = [];
  for (const command of commands) {
    const { status, stdout, stderr } = await cscli(...command.replace('{folder}', folder).split(' '));
    answers.push({ status, stdout: comparable(stdout), stderr: comparable(stderr) });
  }
  return answers;
}

/** Lines without moments, places and the widths of columns; keys that 1.4.6 did not have are left out. */
function comparable(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) =>
      line
        .replace(/^time="[^"]*" /, '')
        .replace(/http:\/\/127\.0\.0\.1:\d+/, '<lapi>')
        .replace(/\/[^ "]*credentials\.yaml/, '<credentials>')
        .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?: \+0000 UTC|Z)/g, '<date>')
        .replace(/-?(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?(?:s|ms|µs)(?![a-z])/g, '<duration>')
        .replace(/ {2,}/g, ' ')
        .replace(/-{3,}/g, '--'),
    )
    .filter((line) => !/^\s*"(?:kind|uuid|remediation)": /.test(line));
}
