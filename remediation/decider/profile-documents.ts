/**
 * Profile files: several YAML documents, read strictly. Every fault of a file is gathered, with its line, before one
 * error is thrown. Format: CrowdSec `pkg/csconfig/profiles.go`; `.local` files are the caller's to put before.
 */
import { isNode, LineCounter, parseAllDocuments, type Document } from 'yaml';
import { z } from 'zod';
import { parseDuration } from '../../core/duration.ts';
import { GatewayError } from '../../core/errors.ts';

const duration = z
  .string()
  .refine((text) => (parseDuration(text) ?? 0) > 0, 'is no duration such as 4h, 30m or 7d')
  .transform((text) => parseDuration(text) ?? 0);

/** The default that CrowdSec documents. */
const defaultDurationMs = 4 * 3_600_000;

const decisionSchema = z
  .strictObject({
    type: z.string().min(1).max(64),
    duration: duration.optional(),
    scope: z.string().max(64).optional(),
    origin: z.string().max(64).optional(),
    simulated: z.boolean().optional(),
  })
  .transform(({ duration: durationMs = defaultDurationMs, type, scope = '', origin = '', simulated = false }) => ({
    type,
    durationMs,
    scope,
    origin,
    simulated,
  }));

const profileSchema = z.strictObject({
  name: z.string().min(1),
  debug: z.boolean().default(false),
  filters: z.array(z.string().min(1)).min(1),
  decisions: z.array(decisionSchema).nullish(),
  duration_expr: z.string().default(''),
  on_success: z.enum(['', 'break', 'continue']).default(''),
  /** Read and without effect, as in CrowdSec. */
  on_failure: z.enum(['', 'break', 'continue', 'apply']).default(''),
  on_error: z.enum(['', 'apply', 'continue', 'break', 'ignore']).default(''),
  notifications: z.array(z.string().min(1)).nullish(),
});

export type ProfileDocument = z.output<typeof profileSchema>;
export type ProfileDecision = z.output<typeof decisionSchema>;

/** @throws GatewayError PROFILE_INVALID that lists every fault as `file:line: place: fault`. */
export function parseProfiles(text: string, file: string): ProfileDocument[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  const profiles: ProfileDocument[] = [];
  const faults: string[] = [];
  for (const document of Array.isArray(documents) ? documents : []) {
    for (const error of document.errors) faults.push(`${file}:${lines.linePos(error.pos[0]).line}: ${error.message}`);
    if (document.errors.length > 0) continue;
    const value = readDocument(document, file, faults);
    if (value === null || value === undefined) continue;
    const parsed = profileSchema.safeParse(value);
    if (parsed.success) profiles.push(parsed.data);
    else
      for (const issue of parsed.error.issues)
        faults.push(`${file}:${lineOf(document, lines, issue.path)}: ${textOf(issue)}`);
  }
  const names = profiles.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) faults.push(`${file}: two profiles have the name ${twice}`);
  if (faults.length === 0) return profiles;
  throw new GatewayError('PROFILE_INVALID', faults.join('\n'), { remedy: 'Correct the profile file and start again.' });
}

/** An alias bomb is a fault like any other. */
function readDocument(document: Document, file: string, faults: string[]): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (thrown) {
    faults.push(`${file}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    return null;
  }
}

function textOf(issue: z.core.$ZodIssue): string {
  const place = issue.path.length === 0 ? 'profile' : issue.path.join('.');
  return `${place}: ${issue.message}`;
}

/** The line of the innermost node that the path leads to. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}
