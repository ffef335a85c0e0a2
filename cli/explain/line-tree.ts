/** A line's way through stages and nodes as a tree. */
import type { LineExplanation, NodeExplanation, StageExplanation } from '../../detectors/engine/explain-line.ts';
import type { Colour, Output } from '../output/output.ts';
import { cutTo, safeText } from '../output/safe-text.ts';
import { plural } from '../show.ts';
import { reasonAgainst, showScenarios } from './scenario-tree.ts';

/** Shorter than a terminal is wide, so that values stay on one line. */
const longestText = 120;

export function showLine(output: Output, explanation: LineExplanation, all: boolean): void {
  const { line, stages, meta, scenarios, overflows } = explanation;
  output.heading(shown(line, output.columns));
  for (const stage of stages) showStage(output, stage, all);
  output.line();
  output.line(verdictOf(output, explanation));
  output.pairs(
    Object.entries(meta).map(([name, value]) => [name, shown(value, output.columns - 30)]),
    '  ',
  );
  if (all) {
    showFields(output, 'parsed', explanation.parsed);
    showFields(output, 'enriched', explanation.enriched);
  }
  if (explanation.outcome === 'poured') showScenarios(output, scenarios, { all, every: false, what: 'line' });
  for (const { overflow, whitelisted } of overflows) {
    const sources = overflow.alerts.map(({ source }) => source.value).join(', ');
    const what = whitelisted ? output.paint('dim', 'whitelisted by a postoverflow') : output.paint('red', 'alert');
    output.line(
      `${output.paint('bold', '⇒')} ${safeText(overflow.scenario.name)} overflows for ${safeText(sources)}: ${what}`,
    );
  }
  output.line();
}

function verdictOf(output: Output, { outcome, discarded, whitelistReason, stages, time }: LineExplanation): string {
  switch (outcome) {
    case 'poured':
      return `${output.paint('green', '✓')} understood${time === '' ? ', without a date' : ` as of ${safeText(time)}`}`;
    case 'whitelisted':
      return `${output.paint('yellow', '–')} whitelisted: ${safeText(whitelistReason)}`;
    case 'discarded':
      return `${output.paint('red', '✗')} ${discardWords(discarded, stages.at(-1)?.stage ?? 'the first stage')}`;
    default:
      return outcome satisfies never;
  }
}

function discardWords(reason: LineExplanation['discarded'], stage: string): string {
  switch (reason) {
    case 'unparsed':
      return `no parser of ${stage} understands it: the line is dropped`;
    case 'misplaced':
      return `the line left ${stage} for a stage that is not there`;
    case 'failed':
      return `a static of ${stage} failed: the line is dropped`;
    case null:
      return 'dropped';
    default:
      return reason satisfies never;
  }
}

/** In the order in which things happen. Nodes whose filter is false are counted, not shown, unless all are wanted. */
function showStage(output: Output, { stage, nodes }: StageExplanation, all: boolean): void {
  output.line();
  output.line(output.paint('bold', stage));
  const shownNodes = all ? nodes : nodes.filter(({ entered }) => entered);
  const hidden = nodes.length - shownNodes.length;
  for (const [index, node] of shownNodes.entries()) {
    const last = index === shownNodes.length - 1 && hidden === 0;
    showNode(output, node, last ? '└─ ' : '├─ ', last ? '   ' : '│  ', all);
  }
  if (hidden > 0) {
    const words = `${plural(hidden, 'parser')} for other lines`;
    output.line(output.paint('dim', `└─ ${words}${shownNodes.length === 0 ? '; --all shows why' : ''}`));
  }
}

function showNode(output: Output, node: NodeExplanation, first: string, rest: string, all: boolean): void {
  const [mark, colour]: readonly [string, Colour] = node.succeeded
    ? ['✓', 'green']
    : node.entered
      ? ['✗', 'red']
      : ['·', 'dim'];
  const name = node.entered ? output.paint('bold', safeText(node.name)) : output.paint('dim', safeText(node.name));
  const moved = node.movedTo === '' ? '' : output.paint('dim', `  → ${node.movedTo}`);
  output.line(`${first}${output.paint(colour, mark)} ${name}${moved}`);
  const indent = `${rest}  `;
  if (!node.entered) {
    if (node.filter !== null)
      output.line(`${indent}${reasonAgainst(output, node.filter, output.columns - indent.length)}`);
    return;
  }
  for (const grok of node.groks) showGrok(output, grok, indent);
  for (const { reason, matched } of node.whitelists) {
    output.line(`${indent}${output.paint('dim', 'whitelist')} ${safeText(reason)}: ${matchWords(matched)}`);
  }
  for (const { cache, key, value } of node.stashes) {
    output.line(`${indent}${output.paint('dim', 'stash')} ${safeText(cache)}[${shown(key, 40)}] = ${shown(value, 60)}`);
  }
  const children = all ? node.children : node.children.filter(({ entered }) => entered);
  for (const [index, child] of children.entries()) {
    const last = index === children.length - 1;
    const numbered =
      child.name === `child-${node.name}` ? { ...child, name: `node ${node.children.indexOf(child) + 1}` } : child;
    showNode(output, numbered, `${rest}${last ? '└─ ' : '├─ '}`, `${rest}${last ? '   ' : '│  '}`, all);
  }
  for (const { target, value, outcome } of node.statics) {
    if (outcome === 'skipped' && !all) continue;
    output.line(`${indent}${staticLine(output, target, value, outcome)}`);
  }
}

function showGrok(output: Output, grok: NodeExplanation['groks'][number], indent: string): void {
  const { pattern, subject, matched, fields, reach } = grok;
  const room = output.columns - indent.length - 8;
  const label = output.paint('dim', 'grok');
  if (matched === true) {
    const captured = fields.filter(([, value]) => value !== '').map(([name, value]) => `${name}=${shown(value, 40)}`);
    output.line(`${indent}${output.paint('green', '✓')} ${label} ${shown(pattern, room)}`);
    output.line(`${indent}  ${output.paint('dim', captured.join('  '))}`);
    return;
  }
  output.line(`${indent}${output.paint('red', '✗')} ${label} ${shown(pattern, room)}`);
  if (matched !== false) output.line(`${indent}  ${output.paint('yellow', safeText(matched.error))}`);
  else if (subject === null) output.line(`${indent}  ${output.paint('dim', 'there is no text to look at')}`);
  else if (reach !== null) {
    output.line(`${indent}  ${output.paint('dim', 'found up to ')} ${shown(tail(subject.slice(0, reach.end)), room)}`);
    output.line(`${indent}  ${output.paint('dim', 'then wanted')}  ${output.paint('yellow', shown(reach.rest, room))}`);
    output.line(
      `${indent}  ${output.paint('dim', 'but there is')} ${subject.length === reach.end ? 'the end of the text' : shown(subject.slice(reach.end), room)}`,
    );
  }
}

function staticLine(
  output: Output,
  target: string,
  value: string,
  outcome: NodeExplanation['statics'][number]['outcome'],
): string {
  const name = output.paint('cyan', safeText(target));
  if (outcome === 'set') return `${name} = ${shown(value, longestText)}`;
  if (outcome === 'skipped') return `${name} ${output.paint('dim', 'left alone: the value is empty')}`;
  if (outcome === 'unknown') return `${name} ${output.paint('yellow', 'is no target')}`;
  if (outcome === 'aborted') return `${name} ${output.paint('red', 'has no text for a value: the line ends here')}`;
  return `${name} ${output.paint('yellow', safeText(outcome.error))}`;
}

function matchWords(matched: boolean | { readonly error: string }): string {
  if (typeof matched === 'boolean') return matched ? 'matches' : 'does not match';
  return safeText(matched.error);
}

function showFields(output: Output, title: string, fields: Readonly<Record<string, string>>): void {
  const entries = Object.entries(fields);
  if (entries.length === 0) return;
  output.line(`  ${output.paint('dim', `${title}:`)}`);
  output.pairs(
    entries.map(([name, value]) => [name, shown(value, output.columns - 30)]),
    '    ',
  );
}

/** The end of what was found says where to look. */
function tail(text: string): string {
  return text.length <= 60 ? text : `…${text.slice(-60)}`;
}

function shown(text: string, room: number): string {
  return cutTo(safeText(text.replace(/\s+/g, ' ')), Math.max(20, Math.min(longestText, room)));
}
