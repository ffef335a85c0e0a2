/** Whether two engines found the same: as multisets, and in whatever way they write the same time. */
import t from 'tap';
import { differences, type ReplayedAlert } from '../../bench/engine/replayed-alert.ts';

const alert: ReplayedAlert = {
  scenario: 'a/probing',
  source: { scope: 'Ip', value: '192.0.2.1' },
  events_count: 11,
  start_at: '2026-11-21T10:00:00Z',
  stop_at: '2026-11-21T10:00:05Z',
};

t.test('order and spelling of times do not matter', async (t) => {
  const other = { ...alert, scenario: 'b/crawl' };
  const respelled = { ...alert, start_at: '2026-11-21T10:00:00.000+00:00' };
  t.same(differences([alert, other], [other, respelled]), []);
});

t.test('each member is compared, and how often', async (t) => {
  const changes: readonly Partial<ReplayedAlert>[] = [
    { scenario: 'a/other' },
    { source: { scope: 'Range', value: '192.0.2.1' } },
    { source: { scope: 'Ip', value: '192.0.2.2' } },
    { events_count: 12 },
    { start_at: '2026-11-21T10:00:01Z' },
    { stop_at: '2026-11-21T10:00:06Z' },
  ];
  for (const change of changes)
    t.equal(differences([alert], [{ ...alert, ...change }]).length, 2, JSON.stringify(change));
  t.match(differences([alert, alert], [alert]), [
    { alert: /a\/probing Ip 192\.0\.2\.1 11 events/, ours: 2, theirs: 1 },
  ]);
  t.match(differences([], [alert]), [{ ours: 0, theirs: 1 }]);
});
