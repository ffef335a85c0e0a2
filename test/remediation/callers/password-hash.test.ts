import { scryptSync } from 'node:crypto';
import t from 'tap';
import { createSystemRandom } from '../../../core/random.ts';
import { createPasswordHasher, parseHash, PasswordQueueFull } from '../../../remediation/callers/password-hash.ts';

const hasher = createPasswordHasher(createSystemRandom());

t.test('a password matches its own hash and no other', async (t) => {
  const [one, other] = [await hasher.hash('correct'), await hasher.hash('correct')];
  t.match(one, /^\$scrypt\$ln=15,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  t.not(one, other, 'each has salt of its own');
  t.equal(await hasher.matches('correct', one), true);
  t.equal(await hasher.matches('Correct', one), false);
  t.equal(await hasher.matches('', one), false);
  t.notOk(one.includes('correct'));
  const long = 'x'.repeat(2_000);
  t.equal(await hasher.matches(long, await hasher.hash(long)), false, 'a password that would be cut is nobody’s');
});

t.test('the form is scrypt’s, so another implementation agrees', async (t) => {
  const salt = Buffer.alloc(16, 7);
  const key = scryptSync('pass', salt, 32, { N: 2 ** 12, r: 4, p: 2, maxmem: 2 ** 26 });
  const plain = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');
  const stored = `$scrypt$ln=12,r=4,p=2$${plain(salt)}$${plain(key)}`;
  t.equal(await hasher.matches('pass', stored), true);
  t.equal(await hasher.matches('past', stored), false);
});

t.test('nobody’s password, and hashes in other forms, match nothing', async (t) => {
  const own = await hasher.hash('p');
  const others = [
    null,
    '',
    'p',
    '$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy',
    own.slice(1),
    `${own} `,
    own.replace('ln=15', 'ln=25'),
    own.replace('ln=15', 'ln=1'),
    own.replace('r=8', 'r=0'),
    own.replace('p=1', 'p=0'),
    own.replace('$scrypt$', '$argon2id$'),
  ];
  for (const stored of others) {
    t.equal(await hasher.matches('p', stored), false, String(stored));
    if (stored !== null) t.equal(parseHash(stored), null);
  }
});

t.test('few wait, and none is lost', async (t) => {
  const small = createPasswordHasher(createSystemRandom(), { maxQueued: 3 });
  const asked = Array.from({ length: 10 }, (_, index) => small.hash(`p${index}`));
  const outcomes = await Promise.allSettled(asked);
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
  t.equal(failed.length, 7);
  t.ok(failed.every(({ reason }) => reason instanceof PasswordQueueFull));
  t.ok(await small.hash('again'), 'there is room again');
});
