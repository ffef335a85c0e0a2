/** How figures are summarised and laid out. */
import t from 'tap';
import { formatNumber, formatTable, summarise } from '../../bench/report.ts';

t.test('the median of an even number of values lies between the middle two', (t) => {
  t.same(summarise([9, 1, 5]), { min: 1, median: 5, max: 9 });
  t.same(summarise([4, 1, 2, 9]), { min: 1, median: 3, max: 9 });
  t.throws(() => summarise([]), /nothing was measured/);
  t.end();
});

t.test('columns are aligned, figures to the right', (t) => {
  const rows = [
    ['peer', 'µs'],
    ['nginx', '18.0'],
    ['a', '5.25'],
  ];
  t.equal(formatTable(rows), 'peer     µs\n-----  ----\nnginx  18.0\na      5.25\n');
  t.equal(formatNumber(21_340.4), '21,340');
  t.equal(formatNumber(5.25, 1), '5.3');
  t.end();
});
