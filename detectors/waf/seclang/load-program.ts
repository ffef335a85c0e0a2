/**
 * `loadProgram`: rule files and texts become a `RuleProgram`. Everything that depends on configuration alone happens here:
 * includes, default actions, chains, removals and updates, in the order of the directives. Mistakes become faults with file
 * and line, the directive that has one is not used, and the rest is; content never makes this throw. ModSecurity Reference
 * Manual, "Configuration Directives".
 */
import { dirname, isAbsolute, join } from 'node:path';
import { messageOf } from '../../../core/errors.ts';
import { lowerAscii } from './ascii.ts';
import type { EngineDirectives, RuleEntry, RulePlace, RuleProgram, SecLangFault } from './definition.ts';
import { defaultDirectives, engineDirectiveNames, engineDirectives } from './engine-directives.ts';
import { type Directive, readDirectives, splitArguments } from './read-directives.ts';
import { type Report, quoted, suggestion } from './report.ts';
import type { RuleFiles, RuleSource } from './rule-files.ts';
import { RuleReader } from './rule-reader.ts';

/** Far above what people have, so that a file that includes itself in a roundabout way ends. */
const bounds = { depth: 20, files: 5_000, characters: 64 * 1024 ** 2, faults: 1_000 } as const;

/** The sources are read in their order, as if one included them all. */
export function loadProgram(sources: readonly RuleSource[], files: RuleFiles): RuleProgram {
  const loader = new Loader(files);
  for (const source of sources) loader.load(source);
  return loader.finish();
}

/** The text that is being read: where its faults are and where its relative paths start. */
interface Surroundings {
  readonly file: string;
  readonly folder: string;
  /** Files that include it, from the outermost. */
  readonly within: readonly string[];
}

class Loader {
  private readonly files: RuleFiles;
  private readonly rules = new RuleReader();
  private directives: EngineDirectives = defaultDirectives;
  private readonly faults: SecLangFault[] = [];
  private readonly read = new Set<string>();
  private reads = 0;
  private characters = 0;
  private errors = 0;
  private gaveUp = false;

  constructor(files: RuleFiles) {
    this.files = files;
  }

  load(source: RuleSource): void {
    if (source.kind === 'text') {
      this.loadText(source.text, { file: source.name, folder: source.folder, within: [] });
    } else {
      this.loadFile(source.path, [], this.reportAt({ file: source.path, line: 1 }));
    }
  }

  finish(): RuleProgram {
    this.rules.endChain((place) => this.reportAt(place));
    const entries = this.rules.settle();
    for (const { place, marker } of missingMarkers(entries)) {
      this.reportAt(place)(
        'warning',
        `No marker and no rule after this one is called ${quoted(marker)}: skipAfter skips the rest of the phase.`,
      );
    }
    return { entries, directives: this.directives, faults: this.faults, files: [...this.read] };
  }

  private reportAt(place: RulePlace): Report {
    return (level, reason) => {
      if (level === 'error') this.errors++;
      if (this.faults.length < bounds.faults) this.faults.push({ place, level, reason });
      else if (this.faults.length === bounds.faults) {
        this.faults.push({ place, level, reason: 'There is more to say, which is not listed.' });
      }
    };
  }

  private loadFile(path: string, within: readonly string[], report: Report): void {
    if (within.includes(path)) return report('error', `${path} includes itself.`);
    if (within.length >= bounds.depth) return report('error', `Files are included more than ${bounds.depth} deep.`);
    if (++this.reads > bounds.files) return report('error', `More than ${bounds.files} files are included.`);
    let text: string;
    try {
      text = this.files.read(path);
    } catch (error) {
      return report('error', `The file cannot be read: ${messageOf(error)}.`);
    }
    this.read.add(path);
    this.loadText(text, { file: path, folder: dirname(path), within: [...within, path] });
  }

  private loadText(text: string, surroundings: Surroundings): void {
    this.characters += text.length;
    if (this.characters > bounds.characters) {
      return this.reportAt({ file: surroundings.file, line: 1 })(
        'error',
        `The files have more than ${bounds.characters / 1024 ** 2} MiB together.`,
      );
    }
    for (const directive of readDirectives(text)) {
      const place = { file: surroundings.file, line: directive.line };
      if (this.errors >= bounds.faults) return this.giveUp(place);
      this.apply(directive, surroundings, place, this.reportAt(place));
    }
  }

  private apply(directive: Directive, surroundings: Surroundings, place: RulePlace, report: Report): void {
    if (directive.name.startsWith('<')) return report(...sectionFault(directive.name));
    const name = lowerAscii(directive.name);
    const isRule = this.rules.knows(name);
    const engineDirective = engineDirectives.get(name);
    const isInclude = name === 'include' || name === 'includeoptional';
    if (!isRule && !isInclude && engineDirective === undefined) {
      return report('error', unknownDirective(directive.name));
    }
    const split = splitArguments(directive.rest);
    if (split.kind === 'fault') {
      this.rules.spoil(name, directive.rest, place);
      return report('error', split.reason);
    }
    if (isInclude) return this.include(name === 'includeoptional', split.values, surroundings, report);
    if (engineDirective === undefined) {
      return this.rules.apply(name, split.values, { place, folder: surroundings.folder, report }, (other) =>
        this.reportAt(other),
      );
    }
    const changes = engineDirective(split.values, report, this.directives);
    if (changes !== null) this.directives = { ...this.directives, ...changes };
  }

  /** So many mistakes are no rules, and looking for what was meant takes time. */
  private giveUp(place: RulePlace): void {
    if (this.gaveUp) return;
    this.gaveUp = true;
    this.faults.push({ place, level: 'error', reason: 'There are too many mistakes: nothing is read from here on.' });
  }

  private include(
    optional: boolean,
    values: readonly string[],
    { folder, within }: Surroundings,
    report: Report,
  ): void {
    const [written] = values;
    if (written === undefined || values.length > 1) {
      return report('error', 'The directive takes one path; put it into quotes if it holds blanks.');
    }
    const path = isAbsolute(written) ? written : join(folder, written);
    const isGlob = /[*?[\]]/.test(written);
    if (!isGlob && !optional) return this.loadFile(path, within, report);
    const found = this.find(path, report);
    // Plugins of the Core Rule Set are included by patterns that most installations have no file for.
    if (found.length === 0 && !optional) report('warning', `No file is called ${quoted(path)}.`);
    for (const file of found) this.loadFile(file, within, report);
  }

  private find(pattern: string, report: Report): readonly string[] {
    try {
      return this.files.glob(pattern);
    } catch (error) {
      report('error', `Files cannot be looked for: ${messageOf(error)}.`);
      return [];
    }
  }
}

/** `<IfModule security2_module>` surrounds whole files in Debian's packages. */
function sectionFault(name: string): Parameters<Report> {
  if (/^<\/?If(?:Module|Define|Version)/i.test(name)) return ['warning', 'What stands between is used in every case.'];
  if (name.startsWith('</')) return ['warning', 'The end of a section has no effect.'];
  return ['error', `Sections of Apache such as ${name}> are not available: what stands between is used everywhere.`];
}

function unknownDirective(written: string): string {
  return `There is no directive ${quoted(written)}.${suggestion(written, [...ruleNames(), ...engineDirectiveNames])}`;
}

function ruleNames(): readonly string[] {
  return ['Include', 'IncludeOptional', ...RuleReader.names];
}

/** `skipAfter` to what does not come any more. The id of a rule is a marker too. */
function missingMarkers(
  entries: readonly RuleEntry[],
): readonly { readonly place: RulePlace; readonly marker: string }[] {
  const ahead = new Set<string>();
  const missing: { place: RulePlace; marker: string }[] = [];
  for (const entry of entries.toReversed()) {
    if (entry.kind === 'marker') {
      ahead.add(entry.name);
      continue;
    }
    const { flow, place } = entry;
    if (flow.kind === 'skip-after' && !ahead.has(flow.marker)) missing.push({ place, marker: flow.marker });
    ahead.add(String(entry.id));
  }
  return missing.toReversed();
}
