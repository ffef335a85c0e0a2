import t from 'tap';
import { LapiCounters } from '../../../../remediation/lapi/server/lapi-counters.ts';

t.test('a series for each set of labels', async (t) => {
  const { bouncers } = new LapiCounters();
  bouncers.add('nginx', '/v1/decisions', 'GET');
  bouncers.add('nginx', '/v1/decisions', 'HEAD');
  bouncers.add('firewall', '/v1/decisions', 'GET');
  bouncers.add('nginx', '/v1/decisions', 'GET');
  t.strictSame(bouncers.all(), [
    { labels: ['nginx', '/v1/decisions', 'GET'], count: 2 },
    { labels: ['nginx', '/v1/decisions', 'HEAD'], count: 1 },
    { labels: ['firewall', '/v1/decisions', 'GET'], count: 1 },
  ]);
});

t.test('series are bounded: names that come later count as one, earlier ones go on', async (t) => {
  const { machines } = new LapiCounters();
  for (let machine = 0; machine < 5_000; machine++) machines.add(`m${machine}`, '/v1/alerts', 'POST');
  machines.add('m7', '/v1/alerts', 'POST');
  const all = machines.all();
  t.equal(all.length, 4_097);
  t.strictSame(all.at(7), { labels: ['m7', '/v1/alerts', 'POST'], count: 2 });
  t.strictSame(all.at(-1), { labels: ['(other)', '(other)', '(other)'], count: 904 });
});

t.test('durations are counted in every bucket that holds them', async (t) => {
  const counters = new LapiCounters();
  counters.took('/v1/decisions', 'GET', 0.5);
  counters.took('/v1/decisions', 'GET', 30);
  counters.took('/v1/decisions', 'GET', 60_000);
  counters.took('/v1/decisions', 'HEAD', 1);
  const [get, head, ...more] = counters.durations();
  t.strictSame(get, {
    labels: ['/v1/decisions', 'GET'],
    buckets: [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3],
    sumMs: 60_030.5,
  });
  t.equal(head?.buckets[0], 1);
  t.strictSame(more, []);
});
