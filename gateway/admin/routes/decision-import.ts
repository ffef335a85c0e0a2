/** `/v1/decisions/import`: decisions as newline-delimited JSON, a list of entries (`ImportRow`) on each line, worked off as they come. */
import type { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { GatewayError } from '../../../core/errors.ts';
import { DecisionImport } from '../decision-import.ts';
import type { AdminDependencies } from '../dependencies.ts';
import { durationSchema, parseInput, wordsSchema } from '../input.ts';
import type { ImportModel } from '../models.ts';

const schema = z.strictObject({
  scope: wordsSchema.min(1).max(64).default('Ip'),
  type: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'must be a word such as ban, captcha or throttle')
    .default('ban'),
  duration: durationSchema.prefault('4h'),
  reason: wordsSchema.min(1).default('manual'),
  origin: wordsSchema.min(1).max(64).default('cscli-import'),
  title: wordsSchema.min(1).default('import'),
  batch: z.coerce.number().int().min(0).max(10_000_000).default(0),
});

const contentType = 'application/x-ndjson';
/** Of one line: far more than a slice of the longest entries that the command line sends. */
const longestLine = 8 * 1_048_576;

export function decisionImportRoutes(app: FastifyInstance, deps: AdminDependencies): void {
  app.addContentTypeParser(contentType, (_request, payload, done) => done(null, payload));

  app.post('/v1/decisions/import', async ({ query, body, headers }): Promise<ImportModel> => {
    const { duration, ...defaults } = parseInput(schema, query);
    if (headers['content-type'] !== contentType) {
      throw new GatewayError('USAGE', `an import is ${contentType}`, { remedy: 'Use `decisions import`.' });
    }
    const running = new DecisionImport({ ...defaults, durationMs: duration }, deps);
    try {
      for await (const line of linesOf(body as Readable)) await running.take(rowsOf(line));
      const result = await running.end();
      const { imported, allowlisted, malformed } = result;
      deps.log.info({ imported, allowlisted, malformed }, 'decisions imported by hand');
      return result;
    } catch (thrown) {
      await running.abandon();
      throw thrown;
    }
  });
}

function rowsOf(line: string): readonly unknown[] {
  try {
    const rows: unknown = JSON.parse(line);
    if (Array.isArray(rows)) return rows;
  } catch {
    // The message is the same.
  }
  throw new GatewayError('USAGE', 'a line of the import is no JSON list', {
    remedy: 'Use the command line of the same version as the gateway.',
  });
}

async function* linesOf(body: Readable): AsyncGenerator<string> {
  body.setEncoding('utf8');
  let begun = '';
  for await (const chunk of body as AsyncIterable<string>) {
    const parts = (begun + chunk).split('\n');
    begun = parts.pop() ?? '';
    if (begun.length > longestLine) {
      throw new GatewayError('USAGE', `a line of the import is longer than ${longestLine} characters`);
    }
    for (const part of parts) if (part !== '') yield part;
  }
  if (begun !== '') yield begun;
}
