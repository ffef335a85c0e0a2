/** Work of one source waits for that source alone. */
import t from 'tap';
import { createSourceTurns } from '../../../../remediation/lapi/server/source-turns.ts';

t.test('one source after itself, others beside it, and nothing is left behind', async (t) => {
  const turns = createSourceTurns(3);
  const order: string[] = [];
  const gates = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  const work = (name: string, gate?: Promise<void>) => async (): Promise<string> => {
    order.push(`${name} begins`);
    await gate;
    order.push(`${name} ends`);
    return name;
  };
  const first = turns.run('a', work('a1', gates[0]?.promise));
  const second = turns.run('a', () => Promise.reject(new Error('wrong')));
  const third = turns.run('a', work('a3', gates[2]?.promise));
  t.equal(turns.run('a', work('a4')), false, 'no room for a fourth');
  t.equal(await turns.run('b', work('b1')), 'b1', 'another source waits for none of them');
  t.same(order, ['a1 begins', 'b1 begins', 'b1 ends']);
  gates[0]?.resolve();
  t.equal(await first, 'a1');
  await t.rejects(second || Promise.resolve(), /wrong/);
  gates[2]?.resolve();
  t.equal(await third, 'a3', 'a failure stops nobody');
  t.same(order.slice(3), ['a1 ends', 'a3 begins', 'a3 ends']);
  t.equal(turns.size, 0);
  t.equal(await turns.run('a', work('a5')), 'a5');
});
