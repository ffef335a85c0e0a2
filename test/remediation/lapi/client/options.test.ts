import t from 'tap';
import { agentOptions, bouncerOptions } from '../../../../remediation/lapi/client/options.ts';

function problems(schema: typeof bouncerOptions | typeof agentOptions, value: unknown): string[] {
  const result = schema.safeParse(value);
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

const lapi = { name: 'main', url: 'http://127.0.0.1:8080', key: 'k' };

t.test('nothing is followed and reported to unless settings say so', async (t) => {
  t.strictSame(bouncerOptions.parse(undefined).lapis, []);
  t.strictSame(agentOptions.parse(undefined).lapis, []);
});

t.test('a Local API to follow has defaults', async (t) => {
  const [parsed] = bouncerOptions.parse({ lapis: [lapi] }).lapis;
  t.match(parsed, {
    url: { kind: 'http', url: 'http://127.0.0.1:8080/' },
    mode: 'stream',
    interval: 10_000,
    timeout: 10_000,
    cleanFor: 60_000,
    scopes: ['Ip', 'Range', 'AS', 'Country'],
    tls: { verify: true },
  });
});

t.test('addresses of Local APIs', async (t) => {
  const urls: [string, unknown][] = [
    ['http://127.0.0.1:8080/', { kind: 'http', url: 'http://127.0.0.1:8080/' }],
    ['HTTPS://lapi.example.com/crowdsec', { kind: 'http', url: 'https://lapi.example.com/crowdsec/' }],
    ['http://127.0.0.1:8080/v1/', { kind: 'http', url: 'http://127.0.0.1:8080/' }],
    ['unix:/run/lapi.sock', { kind: 'unix', socketPath: '/run/lapi.sock' }],
  ];
  for (const [url, expected] of urls) {
    t.strictSame(bouncerOptions.parse({ lapis: [{ ...lapi, url }] }).lapis[0]?.url, expected, url);
  }
  for (const url of ['127.0.0.1:8080', 'unix:run', 'http://', 'http://a:b@c/', 'http://a/?x', 'ftp://a/']) {
    const found = problems(bouncerOptions, { lapis: [{ ...lapi, url }] });
    t.equal(found.length, 1, url);
    t.notMatch(found.join(), /b@c/, 'a password is not repeated');
  }
});

t.test('who we are is told in exactly one way', async (t) => {
  const { key, ...bare } = lapi;
  const one = /needs one of|only one of/;
  t.match(problems(bouncerOptions, { lapis: [bare] })[0], one);
  t.match(problems(bouncerOptions, { lapis: [{ ...bare, key, keyFile: '/k' }] })[0], one);
  t.match(problems(bouncerOptions, { lapis: [{ ...bare, tls: { certFile: '/c' } }] })[0], /belong together/);
  t.strictSame(problems(bouncerOptions, { lapis: [{ ...bare, keyFile: '/k' }] }), []);
  t.strictSame(problems(bouncerOptions, { lapis: [{ ...bare, tls: { certFile: '/c', keyFile: '/k' } }] }), []);

  const { url } = lapi;
  t.match(problems(agentOptions, { lapis: [{ url }] })[0], /needs machineId/);
  t.match(problems(agentOptions, { lapis: [{ url, machineId: 'm' }] })[0], one);
  t.match(problems(agentOptions, { lapis: [{ url, password: 'p' }] })[0], /needs machineId/);
  t.match(problems(agentOptions, { lapis: [{ url, machineId: 'm', password: 'p', passwordFile: '/p' }] })[0], one);
  t.strictSame(problems(agentOptions, { lapis: [{ url, machineId: 'm', passwordFile: '/p' }] }), []);
  t.strictSame(problems(agentOptions, { lapis: [{ url, tls: { certFile: '/c', keyFile: '/k' } }] }), []);
});

t.test('names are plain and unique, and there are at most sixteen', async (t) => {
  t.match(problems(bouncerOptions, { lapis: [lapi, lapi] })[0], /same name/);
  t.match(problems(bouncerOptions, { lapis: [{ ...lapi, name: 'a/b' }] })[0], /letters, digits/);
  const many = Array.from({ length: 17 }, (_, at) => ({ ...lapi, name: `l${at}` }));
  t.equal(problems(bouncerOptions, { lapis: many }).length, 1);
  t.match(problems(bouncerOptions, { lapis: [{ ...lapi, origins: ['a,b'] }] })[0], /without commas/);
});
