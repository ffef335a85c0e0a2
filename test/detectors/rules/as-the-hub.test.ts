/** On the logs of the hub's own tests our parsers find what the hub's parsers find, so that either's scenarios run on both. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readTestConfig } from '../../../detectors/hubtest/test-config.ts';
import { suitePath } from '../../support/suites.ts';
import { type ParseLine, parserOf, rules } from './support.ts';

const pairs = [
  { ours: 'nginx', theirs: ['nginx-logs'], lines: 60 },
  { ours: 'apache', theirs: ['apache2-logs'], lines: 60 },
  { ours: 'caddy', theirs: ['caddy-logs'], lines: 5 },
  { ours: 'haproxy', theirs: ['haproxy-logs'], lines: 5 },
  { ours: 'traefik', theirs: ['traefik-logs'], lines: 5 },
  { ours: 'sshd', theirs: ['sshd-logs', 'sshd-success-logs'], lines: 30 },
] as const;

const meta = (
  'log_type service source_ip http_status http_verb http_path http_user_agent http_args_len target_fqdn target_user user ' +
  'username sub_type extra_log_type machine'
).split(' ');
const parsed =
  'request http_args verb http_user_agent file_name file_dir file_frag file_ext static_ressource impact_completion'.split(
    ' ',
  );

for (const { ours, theirs, lines: atLeast } of pairs) {
  t.test(`${ours}: what the hub's parser says, ours says too`, async (t) => {
    const hub = suitePath(t, 'hub');
    if (hub === null) return;
    const stage = (name: string, ...files: string[]): string[] =>
      files.map((file) => join(hub, 'parsers', name, 'crowdsecurity', `${file}.yaml`));
    const parseTheirs = await parserOf([
      ...stage('s00-raw', 'syslog-logs'),
      ...stage('s01-parse', ...theirs),
      ...stage('s02-enrich', 'http-logs', 'dateparse-enrich'),
    ]);
    const parseOurs = await parserOf([
      join(rules, 'parsers', 's00-raw'),
      join(rules, 'parsers', 's01-parse', `${ours}.yaml`),
      join(rules, 'parsers', 's02-enrich'),
    ]);
    const { compared, understood } = compare(t, hub, theirs, parseTheirs, parseOurs);
    t.ok(compared >= atLeast, `${compared} lines compared`);
    t.ok(understood / compared > 0.75, `${understood} of them understood by ours`);
  });
}

interface Sum {
  readonly compared: number;
  readonly understood: number;
}

function compare(
  t: Pick<Test, 'equal'>,
  hub: string,
  theirs: readonly string[],
  parseTheirs: ParseLine,
  parseOurs: ParseLine,
): Sum {
  let compared = 0;
  let understood = 0;
  for (const { raw, type } of testLines(hub, theirs)) {
    const wanted = parseTheirs(raw, type);
    // A request that is none: the hub has it as a path, ours takes it apart where it can be.
    if (wanted === null || (wanted.Parsed.rawrequest ?? '') !== '') continue;
    compared++;
    const found = parseOurs(raw, type);
    // Lines of other programs (NPMplus), and those with a syslog header that the type does not tell of.
    if (found === null) continue;
    understood++;
    for (const key of meta) {
      const value: string = wanted.Meta[key] ?? '';
      if (value !== '') t.equal(found.Meta[key], value, `Meta.${key} of ${raw}`);
    }
    if (wanted.Meta.service !== 'http') continue;
    for (const key of parsed) {
      const value: string = wanted.Parsed[key] ?? '';
      if (value !== '') t.equal(found.Parsed[key], value, `Parsed.${key} of ${raw}`);
    }
  }
  return { compared, understood };
}

/** The lines of every hub test that installs one of these parsers. */
function testLines(
  hub: string,
  parsers: readonly string[],
): readonly { readonly raw: string; readonly type: string }[] {
  const tests = join(hub, '.tests');
  return readdirSync(tests)
    .map((name) => join(tests, name))
    .filter((folder) => existsSync(join(folder, 'config.yaml')))
    .flatMap((folder) => {
      const file = join(folder, 'config.yaml');
      const config = readTestConfig(readFileSync(file, 'utf8'), file);
      if (!config.parsers.some((name) => parsers.some((one) => new RegExp(`/${one}(?:\\.yaml)?$`).test(name))))
        return [];
      return readFileSync(join(folder, config.logFile), 'utf8')
        .split(/\r?\n/)
        .filter((raw) => raw !== '')
        .map((raw) => ({ raw, type: config.logType }));
    });
}
