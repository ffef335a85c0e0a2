import t from 'tap';
import { readTestConfig } from '../../../detectors/hubtest/test-config.ts';

t.test('a configuration is read; empty names and unknown keys are left out', async (t) => {
  const config = readTestConfig(
    `parsers:
- crowdsecurity/syslog-logs
- ./parsers/s01-parse/x/y.yaml # a comment
- ""
scenarios:
  - "crowdsecurity/ssh-bf"
  -
postoverflows:
- ""
collections:
- crowdsecurity/linux
log_file: a.log
log_type: syslog
labels:
  program: sshd
  port: 0022
ignore_parsers: true
nobody_knows: {a: [b]}
override_statics:
 - target: evt.Line.Module
   value: 0010
`,
    'config.yaml',
  );
  t.strictSame(config, {
    parsers: ['crowdsecurity/syslog-logs', './parsers/s01-parse/x/y.yaml'],
    scenarios: ['crowdsecurity/ssh-bf'],
    postoverflows: [],
    appsecRules: [],
    logFile: 'a.log',
    logType: 'syslog',
    labels: { program: 'sshd', port: '0022' },
    ignoreParsers: true,
    overrideStatics: [{ target: 'evt.Line.Module', value: '0010' }],
  });
});

t.test('everything may be left out', async (t) => {
  const config = readTestConfig('log_file: a.log\nlabels:\n', 'config.yaml');
  t.match(config, { parsers: [], scenarios: [], labels: {}, ignoreParsers: false, overrideStatics: [], logType: '' });
  for (const [spelling, meant] of [
    ['true', true],
    ['True', true],
    ['yes', true],
    ['false', false],
    ['no', false],
    ['"truely"', false],
  ] as const) {
    t.equal(readTestConfig(`ignore_parsers: ${spelling}`, 'config.yaml').ignoreParsers, meant, spelling);
  }
});

t.test('what is no configuration is refused with its file', async (t) => {
  const refused = ['- a list', 'text', '', 'parsers: [a', `x: ${'x'.repeat(300_000)}`];
  for (const source of refused) {
    t.throws(
      () => readTestConfig(source, 'some/config.yaml'),
      { code: 'HUBTEST_INVALID', message: /^some\/config\.yaml: / },
      source.slice(0, 20),
    );
  }
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefg'.replaceAll(/./g, (name) => {
    const before = String.fromCharCode(name.charCodeAt(0) - 1);
    return `${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join()}]\n`;
  })}`;
  t.throws(() => readTestConfig(bomb, 'some/config.yaml'), { code: 'HUBTEST_INVALID' }, 'a bomb of aliases');
});
