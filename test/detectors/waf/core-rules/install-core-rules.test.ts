import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'tar';
import t, { type Test } from 'tap';
import { systemClock } from '../../../../core/clock.ts';
import { createSystemRandom } from '../../../../core/random.ts';
import { createDownloader } from '../../../../detectors/hub/download.ts';
import { installCoreRules } from '../../../../detectors/waf/core-rules/install-core-rules.ts';
import { suitePath } from '../../../support/suites.ts';

async function temporaryFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-crs-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function install(t: Test, from: string, to: string, sha256: string | null = null) {
  const random = createSystemRandom();
  const downloader = createDownloader({ clock: systemClock, random, env: {}, timeoutMs: 5_000 });
  t.teardown(() => downloader.close());
  return installCoreRules({ from, to, sha256, onProgress: () => {} }, { downloader, random });
}

/** The smallest thing that passes for a Core Rule Set. */
async function tinyRules(folder: string, id = 901001): Promise<string> {
  const release = join(folder, `release-${id}`);
  await mkdir(join(release, 'rules'), { recursive: true });
  await writeFile(join(release, 'crs-setup.conf.example'), '# OWASP CRS\n');
  const rule = `SecRule ARGS "@pmFromFile words.data" "id:${id},phase:2,deny,ver:'OWASP_CRS/4.0.${id % 10}'"\n`;
  await writeFile(join(release, 'rules', 'REQUEST-901-INITIALIZATION.conf'), rule);
  await writeFile(join(release, 'rules', 'words.data'), 'word\n');
  return release;
}

t.test('the published rules from a folder', async (t) => {
  const crs = suitePath(t, 'crs');
  if (crs === null) return;
  const to = join(await temporaryFolder(t), 'waf', 'crs');
  const installed = await install(t, crs, to);
  t.match(installed, { version: /^OWASP_CRS\/4\./, keptSetup: false, faults: [] });
  t.ok(installed.rules >= 630);
  t.same((await readdir(to)).toSorted(), ['crs-setup.conf', 'crs-setup.conf.example', 'plugins', 'rules']);
});

t.test('an archive, and a newer one over it: the set-up of the operator stays', async (t) => {
  const folder = await temporaryFolder(t);
  const to = join(folder, 'crs');
  for (const id of [901001, 901002]) {
    const archive = join(folder, `${id}.tar.gz`);
    await tinyRules(folder, id);
    await create({ gzip: true, file: archive, cwd: folder }, [`release-${id}`]);
    const sha256 = createHash('sha256')
      .update(await readFile(archive))
      .digest('hex');
    t.match(await install(t, archive, to, sha256), {
      version: `OWASP_CRS/4.0.${id % 10}`,
      rules: 8,
      keptSetup: id === 901002,
    });
    await writeFile(join(to, 'crs-setup.conf'), '# mine\n');
  }
  t.equal(await readFile(join(to, 'crs-setup.conf'), 'utf8'), '# mine\n');
  t.equal(await readFile(join(to, 'crs-setup.conf.example'), 'utf8'), '# OWASP CRS\n');
  t.same((await readdir(folder)).toSorted(), [
    '901001.tar.gz',
    '901002.tar.gz',
    'crs',
    'release-901001',
    'release-901002',
  ]);
});

t.test('what cannot be installed leaves everything as it was', async (t) => {
  const folder = await temporaryFolder(t);
  const to = join(folder, 'crs');
  await install(t, await tinyRules(folder), to);
  const before = await readFile(join(to, 'rules', 'REQUEST-901-INITIALIZATION.conf'), 'utf8');

  const archive = join(folder, 'good.tar.gz');
  await create({ gzip: true, file: archive, cwd: folder }, ['release-901001']);
  await writeFile(join(folder, 'cut.tar.gz'), (await readFile(archive)).subarray(0, 200));
  await writeFile(join(folder, 'text.tar.gz'), 'no archive');
  await mkdir(join(folder, 'empty'));
  await t.rejects(install(t, join(folder, 'absent'), to), { code: 'RULES_INVALID', message: /is not there/ });
  await t.rejects(install(t, join(folder, 'empty'), to), { code: 'RULES_INVALID', message: /no Core Rule Set/ });
  await t.rejects(install(t, join(folder, 'cut.tar.gz'), to), { code: 'RULES_INVALID', message: /cannot be unpacked/ });
  await t.rejects(install(t, join(folder, 'text.tar.gz'), to), {
    code: 'RULES_INVALID',
    message: /cannot be unpacked/,
  });
  await t.rejects(install(t, archive, to, 'ab'.repeat(32)), { code: 'RULES_INVALID', message: /SHA-256/ });
  await t.rejects(install(t, 'http://127.0.0.1:1/crs.tar.gz', to), { code: 'HUB_UNREACHABLE' });

  t.equal(await readFile(join(to, 'rules', 'REQUEST-901-INITIALIZATION.conf'), 'utf8'), before);
  t.notOk(
    (await readdir(folder)).some((name) => name.startsWith('crs.')),
    'nothing is left behind',
  );
});

t.test('links in an archive are not followed out of it', async (t) => {
  const folder = await temporaryFolder(t);
  const release = await tinyRules(folder);
  await writeFile(join(folder, 'secret.conf'), 'SecAction "id:1,phase:1,deny"\n');
  await symlink('../../secret.conf', join(release, 'rules', 'REQUEST-902-LINK.conf'));
  const archive = join(folder, 'links.tar.gz');
  await create({ gzip: true, file: archive, cwd: folder }, ['release-901001']);
  const to = join(folder, 'crs');
  await install(t, archive, to);
  t.same(await readdir(join(to, 'rules')), ['REQUEST-901-INITIALIZATION.conf', 'words.data']);
});

t.test('Debian keeps the set-up elsewhere', async (t) => {
  const root = await temporaryFolder(t);
  const rules = join(root, 'usr', 'share', 'modsecurity-crs');
  const etc = join(root, 'etc', 'modsecurity', 'crs');
  await cp(join(await tinyRules(root), 'rules'), join(rules, 'rules'), { recursive: true });
  await mkdir(etc, { recursive: true });
  await writeFile(join(etc, 'crs-setup.conf'), '# set up by Debian\n');
  await writeFile(join(etc, 'REQUEST-900-EXCLUSION-RULES-BEFORE-CRS.conf'), '# mine\n');
  const to = join(root, 'crs');
  await install(t, rules, to);
  t.equal(await readFile(join(to, 'crs-setup.conf'), 'utf8'), '# set up by Debian\n');
  t.same(
    (await readdir(join(to, 'rules'))).filter((name) => name.endsWith('.conf')),
    ['REQUEST-900-EXCLUSION-RULES-BEFORE-CRS.conf', 'REQUEST-901-INITIALIZATION.conf'],
  );
});
