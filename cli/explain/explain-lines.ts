/** `explain --type`: log lines through the parsers and scenarios of this machine or of a folder; no gateway is asked. */
import { exitStatus, GatewayError } from '../../core/errors.ts';
import { createLineExplainer, type LineExplanation } from '../../detectors/engine/explain-line.ts';
import { FieldMap, type Line } from '../../detectors/event.ts';
import { createScenarioExplainer } from '../../detectors/scenarios/scenario-explainer.ts';
import type { Call } from '../command.ts';
import { foldersFor } from '../engine/item-folders.ts';
import { openEngine } from '../engine/open-engine.ts';
import { safeText } from '../output/safe-text.ts';
import { showLine } from './line-tree.ts';

/** Explanations are for reading; `replay` takes whole logs. */
const mostLines = 1_000;
const mostInputCharacters = 16 * 1_048_576;

export async function explainLines(call: Call): Promise<number> {
  const { output, given, clock, io } = call;
  const lines = await linesOf(call);
  const engine = await openEngine(await foldersFor(call), { clock, dns: false });
  const explained: LineExplanation[] = [];
  try {
    const scenarios = createScenarioExplainer({ documents: engine.scenarios }, engine.expressions);
    const explain = createLineExplainer({ engine: engine.engine, compiler: engine.expressions.event, scenarios });
    for (const Raw of lines) explained.push(await explain(lineOf(Raw, given.text('type') ?? '', clock.now())));
  } finally {
    engine.close();
  }
  switch (output.format) {
    case 'json':
      output.json(explained.map(modelOf));
      break;
    case 'raw':
      output.csv(
        ['line', 'outcome', 'stage', 'parser', 'understood'],
        explained.flatMap(({ line, outcome, stages }) =>
          stages.flatMap(({ stage, nodes }) => nodes.map((node) => [line, outcome, stage, node.name, node.succeeded])),
        ),
      );
      break;
    case 'human':
      for (const fault of engine.faults) {
        io.stderr.write(`not used: ${fault.message.split('\n').map(safeText).join('\n')}\n`);
      }
      for (const one of explained) showLine(output, one, given.flag('all'));
      break;
    default:
      return output.format satisfies never;
  }
  return explained.every(({ outcome }) => outcome !== 'discarded') ? exitStatus.ok : exitStatus.failed;
}

/** The lines that were named, or those of standard input. */
async function linesOf({ given, io }: Call): Promise<readonly string[]> {
  if (given.positionals.length !== 1 || given.positionals[0] !== '-') return given.positionals;
  if (io.stdin === undefined) throw new GatewayError('USAGE', 'there is no standard input to read');
  let text = '';
  for await (const chunk of io.stdin) {
    text += String(chunk);
    if (text.length > mostInputCharacters) break;
  }
  const lines = text
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line !== '');
  if (lines.length <= mostLines) return lines;
  throw new GatewayError('USAGE', `${lines.length} lines are too many to explain; at most ${mostLines} are`, {
    remedy: 'Explain a few of them (head, tail, grep), or give the whole log to `portcullis replay`.',
  });
}

function lineOf(Raw: string, type: string, now: number): Line {
  const Labels = new FieldMap();
  Labels.type = type;
  return { Raw, Src: 'explain', Time: now, Labels, Process: true, Module: 'file' };
}

/** For programs: the same, with the overflows as alerts. */
function modelOf({ overflows, ...explanation }: LineExplanation): object {
  const alerts = overflows.map(({ overflow, whitelisted }) => ({
    scenario: overflow.scenario.name,
    sources: overflow.alerts.map(({ source }) => ({ scope: source.scope, value: source.value })),
    whitelisted,
  }));
  return { ...explanation, alerts };
}
