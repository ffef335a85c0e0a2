/** Loads rule texts from memory, for tests. */
import type { RuleDefinition, RuleProgram } from '../../../../detectors/waf/seclang/definition.ts';
import { loadProgram } from '../../../../detectors/waf/seclang/load-program.ts';
import type { RuleFiles } from '../../../../detectors/waf/seclang/rule-files.ts';

/** Files in memory. A pattern finds what starts as it does up to its first `*` and ends as it does behind it. */
export function filesOf(contents: Readonly<Record<string, string>>): RuleFiles {
  return {
    read: (path) => {
      const text = contents[path];
      if (text === undefined) throw new Error(`${path} does not exist`);
      return text;
    },
    glob: (pattern) => {
      const [start = '', end = ''] = pattern.split('*', 2);
      const isMatch = (path: string): boolean =>
        pattern.includes('*') ? path.startsWith(start) && path.endsWith(end) : path === pattern;
      return Object.keys(contents).filter(isMatch).toSorted();
    },
  };
}

export function loadText(text: string, contents: Readonly<Record<string, string>> = {}): RuleProgram {
  return loadProgram([{ kind: 'text', name: 'test', text, folder: '/rules' }], filesOf(contents));
}

export function rulesOf(program: RuleProgram): readonly RuleDefinition[] {
  return program.entries.filter((entry) => entry.kind === 'rule');
}

/** A rule and those chained to it. */
export function linksOf(head: RuleDefinition): readonly RuleDefinition[] {
  const links: RuleDefinition[] = [];
  for (let link: RuleDefinition | null = head; link !== null; link = link.chained) links.push(link);
  return links;
}

/** `test:3 error: …` */
export function faultsOf(program: RuleProgram): readonly string[] {
  return program.faults.map(({ place, level, reason }) => `${place.file}:${place.line} ${level}: ${reason}`);
}
