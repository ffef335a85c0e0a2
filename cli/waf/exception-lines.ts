/** Exceptions for people: what one is about, what it gives away, and the command that adds it. */
import type {
  ExceptionScopeModel,
  ExceptionTrialModel,
  StoredTrialModel,
} from '../../gateway/admin/waf-exception-models.ts';
import { calledAs } from '../invocation.ts';
import type { Output } from '../output/output.ts';
import { safeText } from '../output/safe-text.ts';
import { plural } from '../show.ts';
import { shellWord } from './shell-word.ts';

/** Attacks that are named; the rest is a number. `--json` has all. */
const mostNamed = 8;

/** `ARGS:q of /search on shop.example`. */
export function placeText({ target, path, site }: ExceptionScopeModel): string {
  const where = path === '' ? 'any path' : path;
  const what = target === null ? where : `${target} of ${where}`;
  return safeText(site === '' ? what : `${what} on ${site}`);
}

/** `46 of 48 still refused in the query parameter q`. */
export function refusedText(output: Output, trial: ExceptionTrialModel): string {
  const { refused_without: before, refused_with: after, place, name } = trial;
  const where = safeText(name === '' ? `the ${place}` : `the ${place} ${name}`);
  if (before === 0) return `none of ${trial.attacks} attacks is refused in ${where} as it is`;
  const colour = after === before ? 'green' : after === 0 ? 'red' : 'yellow';
  return `${output.paint(colour, `${after} of ${before}`)} still refused in ${where}`;
}

/** The attacks that would pass, a line for each. */
export function showLost(output: Output, { lost, lost_kinds: kinds }: ExceptionTrialModel): void {
  if (lost.length === 0) return;
  output.line(`  It gives ${plural(lost.length, 'attack')} away:`);
  const width = Math.max(...lost.map(({ kind }) => kind.length));
  for (const { kind, value } of lost.slice(0, mostNamed)) {
    output.line(`    ${output.paint('dim', kind.padEnd(width))}  ${safeText(value)}`);
  }
  if (lost.length > mostNamed) output.line(output.paint('dim', `    and ${lost.length - mostNamed} more`));
  if (kinds.length > 0)
    output.line(`    ${output.paint('red', 'nothing is left')} against: ${safeText(kinds.join(', '))}`);
}

/** What it is good for, by what is stored; "" when nothing stored can tell. */
export function storedText({ refused, passing }: StoredTrialModel): string {
  if (refused === 0) return '';
  const rest = passing === refused ? '' : '; further rules refuse the others';
  return `${passing} of ${plural(refused, 'stored request')} would pass now${rest}`;
}

/** Ready to paste. */
export function addLine({ rule, site, path, target }: ExceptionScopeModel): string {
  const words = ['--rule', String(rule)];
  if (site !== '') words.push('--site', site);
  if (path !== '') words.push('--path', path);
  if (target !== null) words.push('--target', target);
  return safeText(`${calledAs} waf exceptions add ${words.map(shellWord).join(' ')} --for 30d`);
}
