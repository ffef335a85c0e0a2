import t from 'tap';
import { createGrokRegistry } from '../../../detectors/grok/grok-registry.ts';

const registry = createGrokRegistry();

t.test('how far a pattern comes is told at the references that no group surrounds', async (t) => {
  const cases: readonly (readonly [pattern: string, text: string, matched: string | null, end?: number])[] = [
    ['^%{IP:a} %{WORD:b} %{INT:c}$', '192.0.2.1 word x', '^%{IP:a} %{WORD:b}', 14],
    ['^%{IP:a} %{WORD:b} %{INT:c}$', '192.0.2.1  word', '^%{IP:a}', 9],
    ['^%{IP:a} %{WORD:b}', 'nobody', null],
    ['(%{WORD:x} )?%{INT:a}-%{INT:b}', 'word 5+6', '(%{WORD:x} )?%{INT:a}', 6],
    ['%{INT:a}|%{WORD:b}', '!', null],
    ['\\(%{INT:a}\\) %{INT:b}', '(5) x', '\\(%{INT:a}', 2],
    ['[(]%{INT:a}[)] %{INT:b}', '(5) x', '[(]%{INT:a}', 2],
    ['[](]%{INT:a} %{INT:b}', '(5 x', '[](]%{INT:a}', 2],
    ['%{INT:a}? %{INT:b}', '5 x', null],
  ];
  for (const [pattern, text, matched, end] of cases) {
    const reach = registry.compile(pattern).reach(text);
    t.equal(reach?.matched ?? null, matched, `${pattern} in ${text}`);
    if (end !== undefined) t.equal(reach?.end, end);
    if (reach !== null) t.equal(reach.matched + reach.rest, pattern);
  }
  t.equal(cases.length, 9);
});
