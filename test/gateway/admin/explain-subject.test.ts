import t from 'tap';
import { readSubject } from '../../../gateway/admin/explain-subject.ts';

t.test('log lines and URLs are read as the requests they were', (t) => {
  const time = '[20/Nov/2026:23:31:34 +0000]';
  const cases: [string, object][] = [
    [
      `203.0.113.9 - - ${time} "GET /a?b=c HTTP/1.1" 404 153 "-" "curl/8"`,
      {
        method: 'GET',
        target: '/a?b=c',
        clientIp: '203.0.113.9',
        status: 404,
        userAgent: 'curl/8',
        referer: '',
        httpVersion: '1.1',
      },
    ],
    [
      `2001:db8::1 - bob ${time} "POST /login HTTP/2.0" 200 5`,
      { method: 'POST', target: '/login', clientIp: '2001:db8::1', status: 200, httpVersion: '2.0' },
    ],
    [
      `shop.example:443 203.0.113.9 - - ${time} "GET / HTTP/1.1" 200 1 "https://x.example/" "M"`,
      { host: 'shop.example', clientIp: '203.0.113.9', referer: 'https://x.example/' },
    ],
    [
      `203.0.113.9 - - ${time} "GET /\\x22\\x5C%20 HTTP/1.1" 200 - "-" "say \\"hi\\""`,
      { target: '/"\\%20', userAgent: 'say "hi"' },
    ],
    [`203.0.113.9 - - ${time} "GET /a b HTTP/1.1" 400 0 "-" "-"`, { target: '/a b', userAgent: '' }],
    ['/wp-login.php', { method: 'GET', target: '/wp-login.php', host: '', status: null }],
    ['?x=1', { target: '/?x=1' }],
    ['https://bob@Shop.Example:8443/a?b#c', { host: 'shop.example', target: '/a?b' }],
    ['http://shop.example', { host: 'shop.example', target: '/' }],
    [
      '{"method":"PUT","target":"/x","status":201,"clientIp":"203.0.113.9","host":"A:1"}',
      { method: 'PUT', target: '/x', status: 201, clientIp: '203.0.113.9', host: 'a' },
    ],
  ];
  for (const [subject, expected] of cases) t.match(readSubject(subject), expected, subject);
  t.equal(cases.length, 10);
  t.end();
});

t.test('a hostile line takes no longer than its length', (t) => {
  for (const hostile of ['1'.repeat(30_000), `1 - ${'['.repeat(30_000)}`, `1.1.1.1 - - [x] "${'\\"'.repeat(15_000)}`]) {
    t.throws(() => readSubject(hostile), { code: 'USAGE' });
  }
  t.end();
});
