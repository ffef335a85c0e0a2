/** Unpacking, with an apt-get that hands out one package made here: no mirror is asked. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import t from 'tap';
import { findDebianProgram, unpackDebianPackage } from './debian-program.ts';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-debian-program-'));
const installed = process.env.PATH ?? '';
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

const noDpkg = readdirSync('/usr/bin').includes('dpkg-deb') ? false : 'dpkg-deb is not installed';

/** Puts an apt-get before the real one. */
function aptGetIs(script: string): void {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  writeFileSync(join(folder, 'bin', 'apt-get'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'bin', 'apt-get'), 0o755);
  process.env.PATH = `${join(folder, 'bin')}${delimiter}${installed}`;
}

t.test('a package is unpacked once, however many ask for it', { skip: noDpkg }, async (t) => {
  const source = join(folder, 'source');
  mkdirSync(join(source, 'DEBIAN'), { recursive: true });
  mkdirSync(join(source, 'usr/bin'), { recursive: true });
  const control = ['Package: tool', 'Version: 1.2-3~deb12u1', 'Architecture: all', 'Maintainer: t <t@example.org>'];
  writeFileSync(join(source, 'DEBIAN/control'), [...control, 'Description: a tool', ''].join('\n'));
  writeFileSync(join(source, 'DEBIAN/postinst'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  writeFileSync(join(source, 'usr/bin/tool'), 'the tool');
  execFileSync('dpkg-deb', ['--root-owner-group', '--build', source, join(folder, 'tool_1.deb')], { stdio: 'ignore' });
  aptGetIs(`cp ${join(folder, 'tool_1.deb')} . && echo "$@" >> ${join(folder, 'asked')}`);

  const cache = join(folder, 'cache');
  t.equal(findDebianProgram('tool', cache), null);
  const programs = await Promise.all([unpackDebianPackage('tool', cache), unpackDebianPackage('tool', cache)]);
  for (const { root, version } of programs) {
    t.equal(version, '1.2-3~deb12u1');
    t.equal(readFileSync(join(root, 'usr/bin/tool'), 'utf8'), 'the tool');
  }
  t.same(readdirSync(cache), ['tool'], 'no download is left');
  const asked = readFileSync(join(folder, 'asked'), 'utf8');
  await unpackDebianPackage('tool', cache);
  t.equal(readFileSync(join(folder, 'asked'), 'utf8'), asked, 'a known one is not asked for again');
});

t.test('what apt-get said is in the error, and nothing is left', async (t) => {
  aptGetIs('echo "E: Unable to locate package nothing" >&2; exit 100');
  const cache = join(folder, 'empty');
  await t.rejects(unpackDebianPackage('nothing', cache), {
    message: /download nothing failed:\nE: Unable to locate package/,
  });
  t.same(readdirSync(cache), []);
  t.equal(findDebianProgram('nothing', cache), null);
});
