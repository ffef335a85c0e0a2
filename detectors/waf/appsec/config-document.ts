/**
 * Documents of `appsec-configs`: which rules run in-band and out-of-band, what follows from a match, and hooks. Read strictly.
 * Specification: CrowdSec `pkg/appsec/appsec.go` (`AppsecConfig`); the documentation's "AppSec configuration".
 */
import { createHash } from 'node:crypto';
import { isScalar, type YAMLMap } from 'yaml';
import { type DocumentReader, type ItemPlaces, readDocuments } from '../../documents/document-reader.ts';
import type { ItemFault, ItemKind } from '../../documents/item-fault.ts';

/** `in`: before the request is answered; `out`: after it. */
export type Band = 'in' | 'out';

export const hookStages = ['on_load', 'pre_eval', 'post_eval', 'on_match'] as const;
export type HookStage = (typeof hookStages)[number];

/** A hook as it is written. */
export interface HookSpec {
  readonly stage: HookStage;
  /** Null: it runs in both bands. */
  readonly band: Band | null;
  /** "" when it always applies. */
  readonly filter: string;
  readonly apply: readonly string[];
  /** Written as a list, and not as a single text. */
  readonly applyIsList: boolean;
  /** Whether the hooks after it are left out once its filter holds. */
  readonly breaks: boolean;
  readonly places: ItemPlaces;
}

/** A band's own settings; null where the document says nothing. */
export interface BandOptions {
  readonly disableBodyInspection: boolean | null;
  readonly bodyInMemoryLimit: number | null;
}

export interface AppSecConfigDocument {
  readonly name: string;
  /** Globs over names of rules. */
  readonly rules: Readonly<Record<Band, readonly string[]>>;
  readonly options: Readonly<Record<Band, BandOptions>>;
  readonly defaultRemediation: string | null;
  readonly defaultPassAction: string | null;
  readonly blockedHttpCode: number | null;
  readonly passedHttpCode: number | null;
  readonly userBlockedHttpCode: number | null;
  readonly userPassedHttpCode: number | null;
  /** Patterns of `VARIABLE.key`, whose values go into events. */
  readonly variablesTracking: Readonly<Record<Band, readonly string[]>>;
  readonly hooks: readonly HookSpec[];
  readonly file: string;
  readonly hash: string;
}

export interface AppSecConfigDocuments {
  readonly documents: readonly AppSecConfigDocument[];
  /** The document of a fault about a challenge is used without it; all others are not used. */
  readonly faults: readonly ItemFault[];
}

const kind: ItemKind = { what: 'appsec-config', code: 'RULES_INVALID' };

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const rootKeys = words(
  'name author description version format references labels log_level data inband_rules outofband_rules ' +
    'default_remediation default_pass_action blocked_http_code passed_http_code user_blocked_http_code ' +
    'user_passed_http_code inband_options outofband_options variables_tracking on_load pre_eval post_eval on_match ' +
    'on_challenge inband outofband challenge',
);
const bandKeys = words('rules options variables_tracking on_load pre_eval post_eval on_match on_challenge');
const optionKeys = words('disable_body_inspection request_body_in_memory_limit');
const hookKeys = words('filter apply on_success');
const onSuccess = ['continue', 'break'];

/** What of a document is understood and not there yet. */
const challengeReason =
  'challenge pages are not there yet: the request is judged without them. Leave it out, or use SetRemediation("captcha")';

/** Reads all documents of one file (its bytes, or text that stands for them). Never throws. */
export function readAppSecConfigs(source: string | Uint8Array, file: string): AppSecConfigDocuments {
  const hash = createHash('sha256').update(source).digest('hex');
  const documents: AppSecConfigDocument[] = [];
  const faults: ItemFault[] = [];
  for (const reader of readDocuments(source, file, kind)) {
    const root = reader.root();
    const document = root === null ? null : readDocument(reader, root, hash);
    if (document !== null && reader.faults.length === 0) documents.push(document);
    if (document !== null && root !== null) refuseChallenges(reader, root);
    faults.push(...reader.faults);
  }
  return { documents, faults };
}

function refuseChallenges(reader: DocumentReader, root: YAMLMap): void {
  const maps = [root, reader.map(root, 'inband', null), reader.map(root, 'outofband', null)];
  for (const map of maps) {
    for (const key of ['challenge', 'on_challenge']) {
      if (map !== null && reader.value(map, key) !== null) reader.faultIn(map, key, `${key}: ${challengeReason}`);
    }
  }
}

function readDocument(reader: DocumentReader, root: YAMLMap, hash: string): AppSecConfigDocument {
  reader.name = reader.text(root, 'name');
  reader.checkKeys(root, rootKeys, kind.what);
  if (reader.name === '') reader.fault(root, 'an appsec-config needs a name');
  const bands = {
    in: reader.map(root, 'inband', bandKeys),
    out: reader.map(root, 'outofband', bandKeys),
  };
  const tracking = reader.texts(root, 'variables_tracking');
  const ownTexts = (band: Band, key: string): readonly string[] =>
    bands[band] === null ? [] : reader.texts(bands[band], key);
  return {
    name: reader.name,
    rules: {
      in: [...reader.texts(root, 'inband_rules'), ...ownTexts('in', 'rules')],
      out: [...reader.texts(root, 'outofband_rules'), ...ownTexts('out', 'rules')],
    },
    options: {
      in: readOptions(reader, root, 'inband_options', bands.in),
      out: readOptions(reader, root, 'outofband_options', bands.out),
    },
    defaultRemediation: reader.text(root, 'default_remediation') || null,
    defaultPassAction: reader.text(root, 'default_pass_action') || null,
    blockedHttpCode: readStatus(reader, root, 'blocked_http_code'),
    passedHttpCode: readStatus(reader, root, 'passed_http_code'),
    userBlockedHttpCode: readStatus(reader, root, 'user_blocked_http_code'),
    userPassedHttpCode: readStatus(reader, root, 'user_passed_http_code'),
    variablesTracking: {
      in: [...tracking, ...ownTexts('in', 'variables_tracking')],
      out: [...tracking, ...ownTexts('out', 'variables_tracking')],
    },
    hooks: [
      ...readHooks(reader, root, null),
      ...(bands.in === null ? [] : readHooks(reader, bands.in, 'in')),
      ...(bands.out === null ? [] : readHooks(reader, bands.out, 'out')),
    ],
    file: reader.file,
    hash,
  };
}

/** A band's block counts before the older key at the top. */
function readOptions(reader: DocumentReader, root: YAMLMap, key: string, band: YAMLMap | null): BandOptions {
  const own = band === null ? null : reader.map(band, 'options', optionKeys);
  const map = own ?? reader.map(root, key, optionKeys);
  if (map === null) return { disableBodyInspection: null, bodyInMemoryLimit: null };
  const has = (name: string): boolean => reader.value(map, name) !== null;
  return {
    disableBodyInspection: has('disable_body_inspection') ? reader.boolean(map, 'disable_body_inspection') : null,
    bodyInMemoryLimit: has('request_body_in_memory_limit') ? reader.integer(map, 'request_body_in_memory_limit') : null,
  };
}

/** 0 counts as not written, as upstream has it. */
function readStatus(reader: DocumentReader, root: YAMLMap, key: string): number | null {
  const status = reader.integer(root, key);
  if (status === 0 || (status >= 100 && status <= 599)) return status === 0 ? null : status;
  reader.faultIn(root, key, `${key} ${status} is no HTTP status`);
  return null;
}

function readHooks(reader: DocumentReader, map: YAMLMap, band: Band | null): readonly HookSpec[] {
  return hookStages.flatMap((stage) =>
    reader.maps(map, stage, hookKeys).map((hook) => {
      const success = reader.text(hook, 'on_success');
      if (success !== '' && !onSuccess.includes(success)) {
        reader.faultIn(hook, 'on_success', `on_success ${success} is unknown; there are ${onSuccess.join(' and ')}`);
      }
      return {
        stage,
        band,
        filter: reader.text(hook, 'filter'),
        apply: applied(reader, hook),
        applyIsList: !isScalar(reader.value(hook, 'apply')),
        breaks: success === 'break',
        places: reader.places(hook),
      };
    }),
  );
}

/** A list; a single text counts as a list of it. */
function applied(reader: DocumentReader, hook: YAMLMap): readonly string[] {
  const value = reader.value(hook, 'apply');
  return isScalar(value) ? [reader.text(hook, 'apply')] : reader.texts(hook, 'apply');
}
