/** Files for TLS towards another Local API: mistakes are told at start. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bouncerTarget } from '../../../../remediation/lapi/client/lapi-target.ts';
import { createCertificateAuthority, opensslMissing } from '../../../support/certificate-authority.ts';

const skip = opensslMissing();
const settings = {
  name: 'main',
  url: { kind: 'http' as const, url: 'https://lapi.test/' },
};

t.test('a certificate and its key are who we are', { skip }, async (t) => {
  const { caFile, certFile, keyFile } = createCertificateAuthority(t).client('gateway', '/OU=bouncers/CN=gateway');
  const target = await bouncerTarget({ ...settings, tls: { caFile, certFile, keyFile, verify: true } });
  t.strictSame(target.credentials, { kind: 'certificate' });
  for (const pem of [target.tls.ca, target.tls.cert]) t.match(pem, /^-----BEGIN CERTIFICATE-----/);
  t.match(target.tls.key, /^-----BEGIN PRIVATE KEY-----/);
});

t.test('files that TLS cannot use are a mistake of the settings, named with its cause', { skip }, async (t) => {
  const authority = createCertificateAuthority(t);
  const one = authority.client('one', '/CN=one');
  const other = authority.client('other', '/CN=other');
  const noise = join(t.testdir({ 'noise.pem': 'no certificate\n' }), 'noise.pem');
  const empty = join(t.testdirName, 'empty.pem');
  writeFileSync(empty, '');
  const wrong = [
    { caFile: noise },
    { caFile: empty },
    { caFile: one.keyFile },
    { certFile: one.certFile, keyFile: other.keyFile },
    { certFile: one.certFile, keyFile: one.certFile },
    { certFile: one.keyFile, keyFile: one.keyFile },
    { certFile: noise, keyFile: one.keyFile },
  ];
  for (const files of wrong) {
    const target = bouncerTarget({ ...settings, key: 'k', tls: { ...files, verify: true } });
    const [named = ''] = Object.values(files);
    await t.rejects(
      target,
      { code: 'SETTINGS_UNREADABLE', message: `${named} `, remedy: /PEM files/ },
      JSON.stringify(Object.keys(files)),
    );
  }
});
