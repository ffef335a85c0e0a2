/** What the WAF found in a request, for people: the rules in the order in which they matched, and where each is written. */
import type { FindingModel } from '../../gateway/admin/models.ts';
import type { Output } from '../output/output.ts';
import { safeText } from '../output/safe-text.ts';

/** Longer values are cut in the middle of nowhere anyway. */
const longestValue = 160;

const layerNames: Readonly<Record<FindingModel['layer'], string>> = {
  'core-rules': 'Core rules',
  'virtual-patches': 'Virtual patches',
};

export function showFindings(output: Output, findings: readonly FindingModel[]): void {
  for (const finding of findings) {
    output.line();
    output.heading(layerNames[finding.layer]);
    output.pairs([
      ['verdict', verdictOf(output, finding)],
      ['score', finding.score === 0 ? '' : String(finding.score)],
    ]);
    for (const match of finding.matches) showMatch(output, match);
  }
}

function verdictOf(output: Output, { enforced, rule_id }: FindingModel): string {
  const by = rule_id === 0 ? 'a limit' : `rule ${rule_id}`;
  return enforced
    ? `${output.paint('red', 'refused')} by ${by}`
    : `${output.paint('yellow', 'observed')}: ${by} would have refused it`;
}

function showMatch(output: Output, match: FindingModel['matches'][number]): void {
  const points = match.score === 0 ? '' : `, ${match.score} points`;
  output.line();
  output.line(`${output.paint('bold', String(match.rule_id))} ${safeText(match.message)}${points}`);
  output.pairs([
    ...match.values.map(({ variable, value }): [string, string] => [safeText(variable), safeText(shortened(value))]),
    ['written in', safeText(`${match.file}:${match.line}`)],
  ]);
}

function shortened(value: string): string {
  return value.length <= longestValue ? value : `${value.slice(0, longestValue)}…`;
}
