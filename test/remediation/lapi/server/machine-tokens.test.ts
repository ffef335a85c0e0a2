import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { createSystemRandom } from '../../../../core/random.ts';
import { createMachineTokens, TokenError } from '../../../../remediation/lapi/server/machine-tokens.ts';

const secret = 's'.repeat(64);
const now = Date.UTC(2026, 10, 20, 22, 25, 22, 500);
const tokens = createMachineTokens(secret, createSystemRandom());

function encode(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

/** A token of any header and claims, signed as given. */
function forge(header: unknown, claims: unknown, key = secret, hash = 'sha256'): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`;
}

const good = { alg: 'HS256', typ: 'JWT' };
const claims = { exp: Math.floor(now / 1_000) + 60, id: 'm1', orig_iat: Math.floor(now / 1_000) };

t.test('a token is a JWT with the claims of CrowdSec’s, good for an hour', async (t) => {
  const { token, expiresAt } = tokens.issue('m1', now);
  const [header = '', body = ''] = token.split('.');
  t.strictSame(JSON.parse(Buffer.from(header, 'base64url').toString()), good);
  const at = Math.floor(now / 1_000);
  t.strictSame(JSON.parse(Buffer.from(body, 'base64url').toString()), { exp: at + 3_600, id: 'm1', orig_iat: at });
  t.equal(expiresAt, (at + 3_600) * 1_000);
  t.equal(tokens.verify(token, now), 'm1');
  t.equal(tokens.verify(token, expiresAt - 1), 'm1');
  t.throws(() => tokens.verify(token, expiresAt), { message: 'Token is expired', status: 401 });
  t.equal(tokens.verify(forge(good, claims), now), 'm1', 'another implementation agrees');
});

t.test('every other token is refused, and why', async (t) => {
  const valid = forge(good, claims);
  const [head = '', body = '', signature = ''] = valid.split('.');
  const table: readonly (readonly [string, string, number])[] = [
    ['', 'token contains an invalid number of segments', 401],
    ['a', 'token contains an invalid number of segments', 401],
    ['a.b', 'token contains an invalid number of segments', 401],
    [`${valid}.x`, 'token contains an invalid number of segments', 401],
    [`${valid}.`, 'token contains an invalid number of segments', 401],
    ['..', 'token is malformed', 401],
    [`${encode({ alg: 'none' })}.${body}.`, 'invalid signing algorithm', 401],
    [`${encode({ alg: 'none', typ: 'JWT' })}.${body}.${signature}`, 'invalid signing algorithm', 401],
    [forge({ alg: 'HS512', typ: 'JWT' }, claims, secret, 'sha512'), 'invalid signing algorithm', 401],
    [forge({ alg: 'hs256' }, claims), 'invalid signing algorithm', 401],
    [forge({ alg: ['HS256'] }, claims), 'invalid signing algorithm', 401],
    [forge({ typ: 'JWT' }, claims), 'invalid signing algorithm', 401],
    [forge(good, claims, 'x'.repeat(64)), 'signature is invalid', 401],
    [`${head}.${body}.`, 'signature is invalid', 401],
    [`${head}.${body}.${signature}=`, 'signature is invalid', 401],
    [`${head}.${encode({ ...claims, id: 'admin' })}.${signature}`, 'signature is invalid', 401],
    [forge(good, { ...claims, exp: Math.floor(now / 1_000) - 1 }), 'Token is expired', 401],
    [forge(good, { id: 'm1' }), 'missing exp field', 400],
    [forge(good, { ...claims, exp: null }), 'missing exp field', 400],
    [forge(good, { ...claims, exp: '9999999999' }), 'exp must be float64 format', 400],
    [forge(good, { exp: claims.exp }), 'token names no machine', 401],
    [forge(good, { ...claims, id: 7 }), 'token names no machine', 401],
    [forge(good, 'null'), 'token is malformed', 401],
    [forge(good, '[]'), 'token is malformed', 401],
    [forge('{"alg":"HS256"', claims), 'token is malformed', 401],
    [`${head}.${body}\n.${signature}`, 'token is malformed', 401],
    [`${'a'.repeat(5_000)}.b.c`, 'token is malformed: it is too long', 401],
  ];
  for (const [token, message, status] of table) t.throws(() => tokens.verify(token, now), { message, status }, message);
  t.equal(table.length, 27);
});

t.test('without a secret each start has a key of its own', async (t) => {
  const [one, other] = [
    createMachineTokens(null, createSystemRandom()),
    createMachineTokens(null, createSystemRandom()),
  ];
  const { token } = one.issue('m1', now);
  t.equal(one.verify(token, now), 'm1');
  t.throws(() => other.verify(token, now), { message: 'signature is invalid' });
  t.throws(() => tokens.verify(token, now), { message: 'signature is invalid' });
});

t.test('no mutation of a token is a token', async () => {
  const { token } = tokens.issue('m1', now);
  const mutation = fc.record({
    at: fc.nat({ max: token.length }),
    cut: fc.nat({ max: 3 }),
    put: fc.string({ unit: 'grapheme-ascii', maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
      let mutated = token;
      for (const { at, cut, put } of mutations) mutated = mutated.slice(0, at) + put + mutated.slice(at + cut);
      if (mutated === token) return;
      try {
        tokens.verify(mutated, now);
      } catch (thrown) {
        if (thrown instanceof TokenError) return;
        throw thrown;
      }
      throw new Error(`${mutated} was taken`);
    }),
    { seed: 5, numRuns: 5_000 },
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      try {
        tokens.verify(text, now);
      } catch (thrown) {
        return thrown instanceof TokenError;
      }
      return false;
    }),
    { seed: 5, numRuns: 5_000 },
  );
});
