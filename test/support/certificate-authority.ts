/** An authority of a test's own, with openssl: certificates, of which some are revoked, and the list of these. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, chmodSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a client over TLS is given, as paths of PEM files. */
export interface ClientFiles {
  /** Whom it trusts. */
  readonly caFile: string;
  /** Who it is, where a certificate says so. */
  readonly certFile?: string;
  readonly keyFile?: string;
}

export interface CertificateAuthority {
  readonly caFile: string;
  readonly crlFile: string;
  /** Makes a certificate for a server on the loopback. */
  server(name: string): Required<ClientFiles>;
  /** Makes one of `subject`, for example `/OU=agents/CN=web1`. */
  client(name: string, subject: string): Required<ClientFiles>;
  /** From now on `crlFile` names it. */
  revoke(name: string): void;
}

/** Whether there is an openssl here: what a test's `skip` takes. */
export function opensslMissing(): string | false {
  return spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';
}

/** Its files, readable by all, go with the test; they are good for a day. */
export function createCertificateAuthority(t: { teardown(run: () => unknown): unknown }): CertificateAuthority {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-authority-'));
  chmodSync(folder, 0o755);
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = (name: string): string => join(folder, name);
  mkdirSync(path('new'));
  const files = { 'index.txt': '', serial: '1000\n', crlnumber: '1000\n', 'ca.conf': configuration(folder) };
  for (const [name, content] of Object.entries(files)) writeFileSync(path(name), content);
  const ca = ['ca', '-batch', '-notext', '-config', 'ca.conf'];
  const writeList = (): void => openssl(folder, ...ca, '-gencrl', '-out', 'crl.pem');
  const request = (name: string, ...more: readonly string[]): void =>
    openssl(
      folder,
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      name,
      ...more,
    );
  const issue = (name: string, subject: string, ...more: readonly string[]): Required<ClientFiles> => {
    request(`${name}.key`, '-out', `${name}.csr`, '-subj', subject, ...more);
    openssl(folder, ...ca, '-in', `${name}.csr`, '-out', `${name}.pem`);
    return { caFile: path('ca.pem'), certFile: path(`${name}.pem`), keyFile: path(`${name}.key`) };
  };
  request('ca.key', '-x509', '-out', 'ca.pem', '-subj', '/CN=authority', '-days', '2');
  writeList();
  return {
    caFile: path('ca.pem'),
    crlFile: path('crl.pem'),
    server: (name) => issue(name, `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'),
    client: issue,
    revoke(name) {
      openssl(folder, ...ca, '-revoke', `${name}.pem`);
      writeList();
    },
  };
}

function configuration(folder: string): string {
  return `[ca]
default_ca = own
[own]
dir = ${folder}
database = ${folder}/index.txt
serial = ${folder}/serial
crlnumber = ${folder}/crlnumber
new_certs_dir = ${folder}/new
certificate = ${folder}/ca.pem
private_key = ${folder}/ca.key
default_md = sha256
default_days = 1
default_crl_days = 1
policy = any
unique_subject = no
copy_extensions = copy
[any]
organizationalUnitName = optional
commonName = supplied
`;
}

function openssl(folder: string, ...args: readonly string[]): void {
  const done = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`openssl ${args.join(' ')}: ${done.error?.message ?? done.stderr}`);
}
