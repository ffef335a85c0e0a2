/** Failures towards another Local API name their cause and what to do about it. */
import t from 'tap';
import { refusal, unreachable } from '../../../../remediation/lapi/client/lapi-errors.ts';

const lapi = { name: 'main', address: 'https://lapi.test/' };

function failed(code: string): Error {
  return Object.assign(new Error('words of the library'), { code });
}

t.test('a certificate that is not trusted: what is wrong with it decides what to do', async (t) => {
  const cases = [
    ['CERT_HAS_EXPIRED', /not trusted: it has expired$/, /Renew it there/],
    ['CERT_NOT_YET_VALID', /not trusted: it is not valid yet$/, /clock/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /not trusted: it has signed itself$/, /tls\.caFile/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /not trusted: it is for another name$/, /tls\.serverName/],
    ['INVALID_PURPOSE', /not trusted: it is not for servers$/, /may serve/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /the authority that signed it is not known here$/, /tls\.caFile/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /the authority that signed it is not known here$/, /tls\.caFile/],
  ] as const;
  for (const [code, message, remedy] of cases) {
    t.match(unreachable(lapi, failed(code)), { code: 'LAPI_UNREACHABLE', message, remedy }, code);
  }
});

t.test('who closes the connection may not like the certificate that it is shown', async (t) => {
  for (const code of ['ECONNRESET', 'UND_ERR_SOCKET', 'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE']) {
    const remedy = (showsCertificate: boolean) => unreachable({ ...lapi, showsCertificate }, failed(code)).remedy;
    t.match(remedy(true), /trusts the authority of tls\.certFile/, code);
    t.match(remedy(false), /Check that it runs/, code);
  }
  t.match(unreachable({ ...lapi, showsCertificate: true }, failed('ECONNREFUSED')).remedy, /Check that it runs/);
});

t.test('a server that speaks TLS is told by what it answers in the clear', async (t) => {
  const key = { kind: 'key', key: 'k' } as const;
  for (const message of [
    'Client sent an HTTP request to an HTTPS server.',
    'The plain HTTP request was sent to HTTPS port',
  ]) {
    const error = refusal(lapi, key, { status: 400, message });
    t.match(error, { code: 'LAPI_REFUSED', message: new RegExp(`answered 400: ${message}`), remedy: /https:\/\// });
  }
  t.match(refusal(lapi, key, { status: 400, message: 'bad' }).remedy, /Look into its log/);
});
