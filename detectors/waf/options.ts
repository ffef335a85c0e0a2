/** Settings of the WAF: which rules run, how strict they are, and what they may cost. */
import * as z from 'zod';
import { bytes, count, duration, path } from '../../core/options.ts';

export const layerMode = () =>
  z
    .enum(['off', 'observe', 'block'])
    .describe(
      '`block` refuses what the rules refuse, `observe` records it and passes the request, `off` runs no rule.',
    );

const coreRules = z
  .strictObject({
    mode: layerMode().prefault('observe'),
    folder: path()
      .nullable()
      .prefault(null)
      .describe(
        'The Core Rule Set: a folder with `crs-setup.conf` (or its `.example`) and `rules/`. Without it: `waf/crs` in `dataDir`, where `portcullis waf install crs` puts it; without that, no core rules run.',
      ),
    paranoia: count({ min: 1, max: 4 })
      .nullable()
      .prefault(null)
      .describe(
        'Paranoia level whose rules count towards a refusal: 1 is quiet, 4 needs many exceptions. Without it, here and below: what `crs-setup.conf` says, which is 1 as it is published.',
      ),
    detectionParanoia: count({ min: 1, max: 4 })
      .nullable()
      .prefault(null)
      .describe('Paranoia level whose rules run and are recorded; at least `paranoia`, and the same without it.'),
    inboundThreshold: count({ min: 1, max: 1_000 })
      .prefault(5)
      .describe('Points at which a request is refused. One critical rule gives 5, a warning 3.'),
    outboundThreshold: count({ min: 1, max: 1_000 }).prefault(4).describe('Points at which a response is withheld.'),
    earlyBlocking: z
      .boolean()
      .prefault(false)
      .describe('Refuse by the headers alone where they suffice, before the body is read.'),
    files: z
      .array(path())
      .max(1_000)
      .prefault([])
      .describe(
        'SecLang files of your own (`*` stands for any name): read after `crs-setup.conf` and before the rules, where exclusions belong.',
      ),
    filesAfter: z
      .array(path())
      .max(1_000)
      .prefault([])
      .describe('The same, read after the rules: for `SecRuleRemoveById` and `SecRuleUpdateTargetById`.'),
  })
  .prefault({})
  .describe('The OWASP Core Rule Set and SecLang rules of your own.');

const virtualPatches = z
  .strictObject({
    mode: layerMode().prefault('block'),
    configs: z
      .array(z.string().min(1).max(256))
      .max(100)
      .nullable()
      .prefault(null)
      .describe(
        'Names of the appsec-configs that run, of ours and of those installed from the hub, merged in this order. Without it: all that are installed, and `portcullis/virtual-patches`.',
      ),
  })
  .prefault({})
  .describe("CrowdSec's AppSec rules: virtual patches for known weaknesses.");

const requestBody = z
  .strictObject({
    bytes: bytes({ max: 128 * 1024 ** 2 })
      .prefault('128KiB')
      .describe(
        'How much of a request body is held and inspected before the request is passed; the rest flows. 0 inspects none.',
      ),
    over: z
      .enum(['partial', 'reject'])
      .prefault('partial')
      .describe('A larger body: `partial` judges its beginning, `reject` answers 413.'),
    arguments: count({ min: 1, max: 100_000 })
      .prefault(1_000)
      .describe('Arguments that are read; the rest is not, and the rules are told.'),
    depth: count({ min: 1, max: 1_024 })
      .prefault(64)
      .describe('Nesting of JSON and XML that is read; deeper bodies count as damaged.'),
  })
  .prefault({})
  .describe('Bodies of requests.');

const responseBody = z
  .strictObject({
    inspect: z
      .boolean()
      .prefault(false)
      .describe('Inspect response bodies too. A layer that blocks then holds each of them until it is judged.'),
    bytes: bytes({ max: 16 * 1024 ** 2 })
      .prefault('512KiB')
      .describe('How much of a response body is inspected.'),
    over: z
      .enum(['partial', 'reject'])
      .prefault('partial')
      .describe('A larger body: `partial` judges its beginning, `reject` withholds it.'),
    types: z
      .array(z.string().regex(/^[!#$&^_.+a-z0-9-]+\/[!#$&^_.+a-z0-9-]+$/, 'expected a media type such as text/html'))
      .max(100)
      .prefault(['text/plain', 'text/html', 'text/xml', 'application/json'])
      .describe('Media types that are inspected.'),
  })
  .prefault({})
  .describe('Bodies of responses.');

export const wafOptions = z
  .strictObject({
    coreRules,
    virtualPatches,
    requestBody,
    responseBody,
    valueBytes: bytes({ min: 256, max: 1024 ** 2 })
      .prefault('16KiB')
      .describe('How much of a single value the rules look at.'),
    budget: duration({ min: '1ms', max: '10s' })
      .prefault('50ms')
      .describe('Processor time that the rules may take for one request, before `onFailure` applies.'),
    onFailure: z
      .enum(['pass', 'block'])
      .prefault('block')
      .describe('A request that the rules cannot finish: `block` refuses it where a layer blocks, `pass` lets it go.'),
  })
  .prefault({})
  .describe('The web application firewall.');

export type WafSettings = z.output<typeof wafOptions>;
