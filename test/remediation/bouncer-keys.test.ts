import t from 'tap';
import { type Bouncer, hashKey } from '../../remediation/bouncer.ts';
import { createBouncerKeys } from '../../remediation/bouncer-keys.ts';
import { GatewayError } from '../../core/errors.ts';
import { createManualClock } from '../support/manual-clock.ts';

function setup() {
  const clock = createManualClock();
  const bouncers: Bouncer[] = [];
  let reads = 0;
  let away = false;
  const store = {
    bouncers: (): Promise<readonly Bouncer[]> => {
      reads++;
      return away ? Promise.reject(new GatewayError('STORE_UNAVAILABLE', 'away')) : Promise.resolve([...bouncers]);
    },
  };
  return {
    clock,
    keys: createBouncerKeys(store, clock),
    add: (name: string) => bouncers.push({ name, keyHash: hashKey(`key of ${name}`), createdAt: 0 }),
    clear: () => bouncers.splice(0),
    setAway: (is: boolean) => (away = is),
    reads: () => reads,
  };
}

t.test('a key is its bouncer’s, any other is nobody’s', async (t) => {
  const { keys, add } = setup();
  add('nginx');
  add('cloud');
  t.equal((await keys.find('key of cloud'))?.name, 'cloud');
  t.equal(await keys.find('key of nobody'), null);
  t.equal(await keys.find(''), null);
  t.equal(await keys.find('x'.repeat(5_000)), null);
});

t.test('the list is read once a minute, and once a second for keys that nobody has', async (t) => {
  const { keys, add, clear, clock, reads } = setup();
  add('nginx');
  for (let round = 0; round < 50; round++) await keys.find('key of nginx');
  t.equal(reads(), 1);
  for (let round = 0; round < 50; round++) await keys.find('guess');
  t.equal(reads(), 1, 'within the second of the first');
  clock.advance(1_000);
  await Promise.all(Array.from({ length: 50 }, () => keys.find('guess')));
  t.equal(reads(), 2);
  add('cloud');
  t.equal(await keys.find('key of cloud'), null);
  clock.advance(1_000);
  t.equal((await keys.find('key of cloud'))?.name, 'cloud', 'a new key is known a second later, whoever wrote it');
  clear();
  t.equal((await keys.find('key of cloud'))?.name, 'cloud', 'a deletion elsewhere takes a minute');
  clock.advance(60_000);
  t.equal(await keys.find('key of cloud'), null);
});

t.test('a change that this process made counts at once', async (t) => {
  const { keys, add, clear } = setup();
  add('nginx');
  t.ok(await keys.find('key of nginx'));
  clear();
  keys.changed();
  t.equal(await keys.find('key of nginx'), null);
});

t.test('while the store is away known keys are good and unknown ones are not', async (t) => {
  const { keys, add, setAway, clock } = setup();
  add('nginx');
  t.ok(await keys.find('key of nginx'));
  setAway(true);
  clock.advance(600_000);
  t.ok(await keys.find('key of nginx'));
  t.equal(await keys.find('key of cloud'), null);
});

t.test('a change during a read is not missed', async (t) => {
  const answers: ((bouncers: readonly Bouncer[]) => void)[] = [];
  const keys = createBouncerKeys(
    { bouncers: () => new Promise((resolve) => answers.push(resolve)) },
    createManualClock(),
  );
  const bouncer: Bouncer = { name: 'nginx', keyHash: hashKey('k'), createdAt: 0 };
  const asked = keys.find('k');
  keys.changed();
  answers.shift()?.([bouncer]);
  while (answers.length === 0) await new Promise((resolve) => setImmediate(resolve));
  answers.shift()?.([]);
  t.equal(await asked, null, 'it was revoked while the list was read');
});

t.test('whoever may not ask has an unknown key refused without a read', async (t) => {
  const { keys, add, clock, reads } = setup();
  t.equal(await keys.find('key of nginx'), null);
  add('nginx');
  clock.advance(1_000);
  t.equal(await keys.find('key of nginx', () => false), null);
  t.equal(reads(), 1);
  t.equal((await keys.find('key of nginx', () => true))?.name, 'nginx');
  t.equal((await keys.find('key of nginx', () => false))?.name, 'nginx', 'known ones are not asked about');
});
