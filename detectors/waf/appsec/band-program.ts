/**
 * The rules of one band as a SecLang program. CrowdSec's own rules go through SecLang as text; the places in what comes back
 * are those of the YAML documents.
 */
import { isAbsolute, join, normalize, sep } from 'node:path';
import { GatewayError } from '../../../core/errors.ts';
import { compilePattern } from '../../regex/compile-pattern.ts';
import type { RuleDefinition, RuleEntry, RulePlace, RuleProgram } from '../seclang/definition.ts';
import { loadProgram } from '../seclang/load-program.ts';
import type { RuleFiles, RuleSource } from '../seclang/rule-files.ts';
import { compileRules, type SecLangLine } from './compile-rules.ts';
import type { AppSecRuleDocument, RuleNode } from './rule-document.ts';

/** What events and alerts say about a rule of a document; rules in SecLang have no such details. */
export interface RuleDetails {
  readonly name: string;
  readonly version: string;
  readonly hash: string;
}

export interface BandProgram {
  readonly program: RuleProgram;
  /** By the numbers of rules. */
  readonly details: ReadonlyMap<number, RuleDetails>;
  /** Names of the documents that are in it. */
  readonly names: readonly string[];
  /** Patterns that name no rule, and files that are not there. */
  readonly faults: readonly GatewayError[];
}

export interface BandProgramOptions {
  /** Globs over names of rules. */
  readonly patterns: readonly string[];
  readonly rules: readonly AppSecRuleDocument[];
  /** Where `seclang_files_rules` and the lists of `fromFile` are looked for; of several the first that has it decides. */
  readonly dataFolders: readonly string[];
  readonly inspectBody: boolean;
  /** Bytes. */
  readonly bodyBytes: number;
}

/** Of the directives that stand before all rules. */
const prelude = 'portcullis: appsec';

/** Nothing is thrown: what cannot be used is a fault. */
export function loadBandProgram(options: BandProgramOptions, files: RuleFiles): BandProgram {
  const faults: GatewayError[] = [];
  const documents = chosenRules(options, faults);
  const details = new Map<number, RuleDetails>();
  const origins = new Map<string, readonly RulePlace[]>();
  const sources: RuleSource[] = [{ kind: 'text', name: prelude, text: directives(options), folder: sep }];
  for (const document of documents) {
    sources.push(...fileSources(document, options.dataFolders, files, faults));
    const source = textSource(document, options.dataFolders, files, details, faults);
    origins.set(source.name, source.places);
    sources.push({ kind: 'text', name: source.name, text: source.text, folder: source.folder });
  }
  const program = placed(loadProgram(sources, files), origins);
  return { program, details, names: documents.map(({ name }) => name), faults };
}

function directives({ inspectBody, bodyBytes }: BandProgramOptions): string {
  const lines = [
    'SecRuleEngine On',
    `SecRequestBodyAccess ${inspectBody ? 'On' : 'Off'}`,
    // A larger body is dealt with before the rules see it.
    `SecRequestBodyLimit ${Math.max(1, bodyBytes)}`,
    'SecRequestBodyLimitAction ProcessPartial',
    'SecResponseBodyAccess Off',
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** Each rule once, in the order of the patterns. */
function chosenRules({ patterns, rules }: BandProgramOptions, faults: GatewayError[]): readonly AppSecRuleDocument[] {
  const chosen = new Set<AppSecRuleDocument>();
  for (const pattern of patterns) {
    const glob = nameGlob(pattern.trim());
    const found = rules.filter(({ name }) => glob(name));
    for (const rule of found) chosen.add(rule);
    // A glob that names nothing yet may do so when rules are installed.
    if (found.length > 0 || /[*?]/.test(pattern)) continue;
    faults.push(
      new GatewayError('RULES_INVALID', `an appsec-config wants the rule ${pattern}, which is not installed`, {
        remedy: `Install it: portcullis hub install appsec-rules ${pattern}`,
      }),
    );
  }
  return [...chosen];
}

/** `*` stands for any characters, `?` for one. */
function nameGlob(pattern: string): (name: string) => boolean {
  if (!/[*?]/.test(pattern)) return (name) => name === pattern;
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const compiled = compilePattern(`^${source}$`);
  return (name) => compiled.test(name);
}

function fileSources(
  document: AppSecRuleDocument,
  folders: readonly string[],
  files: RuleFiles,
  faults: GatewayError[],
): readonly RuleSource[] {
  return document.secLangFiles.flatMap((pattern) => {
    const paths = isInside(pattern) ? firstGlob(pattern, folders, files) : [];
    // Upstream's own lists name plugins that need not be there.
    if (paths.length === 0 && !/[*?[]/.test(pattern)) faults.push(missingFile(document, pattern, folders));
    return paths.map((path): RuleSource => ({ kind: 'file', path }));
  });
}

function firstGlob(pattern: string, folders: readonly string[], files: RuleFiles): readonly string[] {
  for (const folder of folders) {
    const paths = files.glob(join(folder, pattern));
    if (paths.length > 0) return paths;
  }
  return [];
}

/** A name that cannot lead out of the folder it is looked for in. */
function isInside(name: string): boolean {
  const normal = normalize(name);
  return name !== '' && !isAbsolute(name) && normal !== '..' && !normal.startsWith(`..${sep}`);
}

function missingFile({ name, file }: AppSecRuleDocument, wanted: string, folders: readonly string[]): GatewayError {
  const searched = folders.length === 0 ? 'no data folder is set' : `looked in ${folders.join(', ')}`;
  return new GatewayError('DATA_FILE_MISSING', `${name} needs the data file ${wanted}; ${searched} (${file})`, {
    remedy: 'The hub fetches it: portcullis hub upgrade. Until then the other rules are used.',
  });
}

interface TextSource {
  readonly name: string;
  readonly text: string;
  readonly folder: string;
  /** By line of the text, the place in the document. */
  readonly places: readonly RulePlace[];
}

/** A document's own SecLang, then its rules. */
function textSource(
  document: AppSecRuleDocument,
  folders: readonly string[],
  files: RuleFiles,
  details: Map<number, RuleDetails>,
  faults: GatewayError[],
): TextSource {
  const { name, version, hash, file } = document;
  const { lines, ids, faults: mistakes } = compileRules(document);
  for (const id of ids) details.set(id, { name, version, hash });
  for (const { line, reason } of mistakes) {
    faults.push(new GatewayError('RULES_INVALID', `${file}:${line}: appsec-rule ${name}: ${reason}`));
  }
  const all = [...document.secLang.flatMap(writtenLines), ...lines];
  return {
    name: `${file} (${name})`,
    text: all.map(({ text }) => `${text}\n`).join(''),
    folder: listFolder(document, folders, files, faults),
    places: all.map(({ line }) => ({ file, line })),
  };
}

function writtenLines({ text, line }: { readonly text: string; readonly line: number }): readonly SecLangLine[] {
  return text.split('\n').map((part, index) => ({
    text: Buffer.from(part, 'utf8').toString('latin1'),
    line: line + index,
  }));
}

/** The data folder that has the lists which the document's rules name; the first when it names none. */
function listFolder(
  document: AppSecRuleDocument,
  folders: readonly string[],
  files: RuleFiles,
  faults: GatewayError[],
): string {
  const lists = document.rules.flatMap(listsOf);
  const has = (folder: string, list: string): boolean => isInside(list) && files.glob(join(folder, list)).length > 0;
  for (const list of lists) {
    if (!folders.some((folder) => has(folder, list))) faults.push(missingFile(document, list, folders));
  }
  return folders.find((folder) => lists.every((list) => has(folder, list))) ?? folders[0] ?? sep;
}

function listsOf({ match, and, or }: RuleNode): readonly string[] {
  const own = match?.type === 'fromFile' ? [match.value.trim()] : [];
  return [...own, ...[...and, ...or].flatMap(listsOf)];
}

/** The program with places in documents instead of in texts that were made of them. */
function placed(program: RuleProgram, origins: ReadonlyMap<string, readonly RulePlace[]>): RuleProgram {
  const placeOf = (place: RulePlace): RulePlace => origins.get(place.file)?.[place.line - 1] ?? place;
  const ruleAt = (rule: RuleDefinition): RuleDefinition => ({
    ...rule,
    place: placeOf(rule.place),
    chained: rule.chained === null ? null : ruleAt(rule.chained),
  });
  const entryAt = (entry: RuleEntry): RuleEntry =>
    entry.kind === 'rule' ? ruleAt(entry) : { ...entry, place: placeOf(entry.place) };
  return {
    ...program,
    entries: program.entries.map(entryAt),
    faults: program.faults.map((fault) => ({ ...fault, place: placeOf(fault.place) })),
  };
}

/** Without the rules that `drop` names: their chains go with them. */
export function withoutRules(program: RuleProgram, drop: (rule: RuleDefinition) => boolean): RuleProgram {
  return { ...program, entries: program.entries.filter((entry) => entry.kind !== 'rule' || !drop(entry)) };
}
