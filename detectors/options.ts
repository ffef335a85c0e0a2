/** The settings of detection: which scenarios run, on what data, and within which bounds. */
import * as z from 'zod';
import { count, path } from '../core/options.ts';

const names = () => z.array(z.string({ error: 'expected the name of a scenario' }).min(1).max(256)).max(10_000);

export const detectionOptions = z
  .strictObject({
    builtin: z.boolean().prefault(true).describe('Run the scenarios that ship with Portcullis.'),
    folders: z
      .array(path())
      .max(100)
      .prefault([])
      .describe("Folders with scenarios, parsers and postoverflows in the hub's format."),
    dataFolder: path()
      .nullable()
      .prefault(null)
      .describe('Where the data files of scenarios are. Without it: `scenario-data` in `dataDir`.'),
    disable: names().prefault([]).describe('Scenarios that are not run, by name.'),
    simulate: names().prefault([]).describe('Scenarios whose decisions are recorded but not enforced, by name.'),
    httpHelpers: z
      .enum(['off', 'public', 'any'])
      .prefault('off')
      .describe(
        'Whether parsers and postoverflows may ask web servers (`HTTPGet`, `HTTPPost`, …). `off` refuses items that want to, `public` asks none in private networks, `any` asks all.',
      ),
    maxBuckets: count({ min: 1000, max: 10_000_000 })
      .prefault(100_000)
      .describe('Buckets held in memory; beyond that the least recently poured one is dropped.'),
  })
  .prefault({})
  .describe('What is looked for.');

export const geoipOptions = z
  .strictObject({
    country: path().nullable().prefault(null).describe('A MaxMind country database (`GeoLite2-Country.mmdb`).'),
    city: path()
      .nullable()
      .prefault(null)
      .describe('A MaxMind city database (`GeoLite2-City.mmdb`); it holds countries too.'),
    asn: path().nullable().prefault(null).describe('A MaxMind ASN database (`GeoLite2-ASN.mmdb`).'),
  })
  .prefault({})
  .describe('MaxMind databases: countries and networks in alerts. Read again when they change.');
