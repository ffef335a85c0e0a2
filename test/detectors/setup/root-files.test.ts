import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import t from 'tap';
import { createRootFiles } from '../../../detectors/setup/root-files.ts';
import { makeRoot, rootFiles } from './support.ts';

t.test('links are followed below the root, and never out of it', async (t) => {
  const root = makeRoot(t, {
    '/etc/nginx/sites-available/shop': 'absolute',
    '/etc/nginx/sites-enabled/shop': { link: '/etc/nginx/sites-available/shop' },
    '/etc/nginx/sites-enabled/relative': { link: '../sites-available/shop' },
    '/etc/nginx/sites-enabled/out': { link: '../../../../../../../../../etc/outside' },
    '/etc/nginx/sites-enabled/loop': { link: 'loop' },
    '/etc/nginx/sites-enabled/gone': { link: '/nowhere' },
    '/conf': { link: '/etc/nginx' },
    '/etc/outside': 'still inside',
  });
  const files = createRootFiles(root);
  t.equal(files.text('/etc/nginx/sites-enabled/shop'), 'absolute');
  t.equal(files.text('/etc/nginx/sites-enabled/relative'), 'absolute');
  t.equal(files.text('/conf/sites-enabled/shop'), 'absolute', 'a folder that is a link');
  t.equal(files.text('/etc/nginx/sites-enabled/out'), 'still inside', 'above the root is the root');
  t.equal(files.text('/etc/nginx/sites-enabled/loop'), null);
  t.equal(files.exists('/etc/nginx/sites-enabled/loop'), false);
  t.equal(files.exists('/etc/nginx/sites-enabled/gone'), false);
  t.equal(files.link('/etc/nginx/sites-enabled/gone'), '/nowhere');
  t.equal(files.link('/etc/outside'), null);
});

t.test('a link is never a way to files of this machine', async (t) => {
  const outside = makeRoot(t, { '/secret': 'not for this root' });
  const anyTarget = fc
    .tuple(
      fc.constantFrom('', '/'),
      fc.array(fc.constantFrom('..', '.', 'a', 'secret', outside.slice(1)), { maxLength: 8 }),
    )
    .map(([start, parts]) => start + parts.join('/'));
  fc.assert(
    fc.property(anyTarget, anyTarget, (first, second) => {
      const root = makeRoot(t, {
        '/a/one': { link: first === '' ? '.' : first },
        '/two': { link: second === '' ? '.' : second },
      });
      const files = createRootFiles(root);
      for (const path of [
        '/a/one',
        '/two',
        '/a/one/secret',
        '/two/secret',
        `/two${outside}/secret`,
        `/a/one/${second}`,
      ]) {
        t.equal(files.text(path), null, path);
      }
    }),
    { seed: 20_261_121, numRuns: 150 },
  );
});

t.test('only small regular files are read', async (t) => {
  const root = makeRoot(t, { '/etc/small': 'x', '/etc/large': 'x'.repeat(1_048_577) });
  const files = createRootFiles(root);
  t.equal(files.text('/etc/small'), 'x');
  t.equal(files.text('/etc/large'), null);
  t.equal(files.text('/etc'), null);
  t.equal(files.exists('/etc'), true);
  t.same(files.names('/etc/small'), []);
});

t.test('patterns stand for names as in a shell', async (t) => {
  const files = rootFiles(t, {
    '/var/log/nginx/access.log': '',
    '/var/log/nginx/error.log': '',
    '/var/log/nginx/access.log.1': '',
    '/var/log/nginx/.hidden.log': '',
    '/srv/www/a/wp-config.php': '',
    '/srv/www/b/wp-config.php': '',
    '/srv/www/c/index.php': '',
    '/etc/odd+name(1).conf': '',
  });
  const cases: [string, string[]][] = [
    ['/var/log/nginx/*.log', ['/var/log/nginx/access.log', '/var/log/nginx/error.log']],
    ['/var/log/nginx/access.log', ['/var/log/nginx/access.log']],
    ['/var/log/nginx/gone.log', []],
    ['/srv/www/*/wp-config.php', ['/srv/www/a/wp-config.php', '/srv/www/b/wp-config.php']],
    ['/var/log/nginx/access.log.?', ['/var/log/nginx/access.log.1']],
    ['/etc/odd+name(1).*', ['/etc/odd+name(1).conf']],
    ['/nowhere/*', []],
    ['/var/log/nginx/.h*', ['/var/log/nginx/.hidden.log']],
  ];
  for (const [pattern, found] of cases) t.same(files.glob(pattern), found, pattern);
  t.equal(cases.length, 8);
});

t.test('a folder with very many files is looked at in part', async (t) => {
  const root = makeRoot(t, {});
  mkdirSync(join(root, 'many'));
  for (let index = 0; index < 1_100; index++) writeFileSync(join(root, 'many', `${index}.log`), '');
  t.equal(createRootFiles(root).glob('/many/*.log').length, 1_000);
});
