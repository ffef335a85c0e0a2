/** `validate`: reads what `serve` would read, rules of the WAF too, without starting anything. */
import { readTextFile } from '../../config/read-text-file.ts';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { formatFault, SettingsError } from '../../config/settings-error.ts';
import { exitStatus } from '../../core/errors.ts';
import { isInstalled } from '../../core/package-root.ts';
import type { Settings } from '../../gateway/settings.ts';
import type { LayerSummary, OpenedWaf, WafDeps } from '../../gateway/waf/open-waf.ts';
import type { Call, Command } from '../command.ts';
import type { Output } from '../output/output.ts';
import { safeText } from '../output/safe-text.ts';
import { plural } from '../show.ts';

export const validate: Command = {
  name: 'validate',
  summary: 'check settings, scenarios and WAF rules without starting',
  usage: '[--config <file>]',
  examples: [['portcullis validate --config /etc/portcullis/portcullis.yaml', 'exits 78 when something is wrong']],
  options: {},
  positionals: { least: 0, most: 0 },
  run,
};

interface Fault {
  readonly place: string;
  readonly message: string;
}

async function run({ io, output, given, clock }: Call): Promise<number> {
  const faults: Fault[] = [];
  const warnings: string[] = [];
  const { readSettings } = await import('../../gateway/settings.ts');
  let file = given.text('config') ?? io.env.PORTCULLIS_CONFIG ?? 'portcullis.yaml';
  let scenarios = 0;
  let rules: readonly LayerSummary[] = [];
  try {
    const demo = !isConfigured(io, given.text('config'));
    const env = demo ? { ...io.env, PORTCULLIS_ORIGIN: 'http://127.0.0.1:1' } : io.env;
    const request = { configFile: given.text('config') ?? null, env, cwd: io.cwd, installed: isInstalled };
    const read = readSettings({ ...request, readFile: readTextFile });
    file = read.file;
    warnings.push(...read.warnings);
    if (demo) warnings.push('no origin is set: `serve` starts the demo');
    // Loaded only here: the other verbs start faster without the engine.
    const [{ createDetection }, { createLog }, { createSystemRandom }, { openGeoDatabases }] = await Promise.all([
      import('../../gateway/detection.ts'),
      import('../../core/log.ts'),
      import('../../core/random.ts'),
      import('../../detectors/lookups/geoip.ts'),
    ]);
    const runtime = { clock, random: createSystemRandom(), log: createLog('silent') };
    const geo = await openGeoDatabases({}, runtime);
    const detection = await createDetection(read.settings, {
      ...runtime,
      geo,
      decisionCounts: noCounts,
      env,
      everyParser: true,
    });
    scenarios = detection.detector.scenarios.length;
    faults.push(...detection.faults.map(({ message }) => ({ place: '', message })));
    const opened = await loadRules(read.settings, { ...runtime, helpers: detection.helpers });
    rules = opened.layers;
    faults.push(...opened.faults.map(({ message }) => ({ place: '', message })));
    await detection.close();
    geo.close();
  } catch (thrown) {
    if (!(thrown instanceof SettingsError)) throw thrown;
    faults.push(...thrown.faults.map((fault) => ({ place: fault.file ?? '', message: formatFault(fault) })));
  }
  const valid = faults.length === 0;
  switch (output.format) {
    case 'json':
      output.json({ valid, file, scenarios, rules, faults, warnings });
      break;
    case 'raw':
      output.csv(
        ['place', 'message'],
        faults.map(({ place, message }) => [place, message]),
      );
      break;
    case 'human':
      if (valid) showValid(output, existsSync(file) ? file : 'defaults and environment', scenarios, rules);
      else output.line(`${output.paint('red', '✗')} ${plural(faults.length, 'mistake')}:`);
      for (const { message } of faults) output.line(`  ${safeText(message)}`);
      for (const warning of warnings) output.line(`${output.paint('yellow', '!')} ${safeText(warning)}`);
      break;
    default:
      return output.format satisfies never;
  }
  return valid ? exitStatus.ok : exitStatus.settings;
}

function showValid(output: Output, file: string, scenarios: number, rules: readonly LayerSummary[]): void {
  const sets = rules.map((one) => `${plural(one.rules, 'rule')} of ${one.version === '' ? 'your own' : one.version}`);
  const can = [plural(scenarios, 'scenario'), ...sets].join(', ');
  const mark = output.paint('green', '✓');
  output.line(`${mark} ${safeText(file)}: the settings are good, ${safeText(can)} can be used.`);
}

/** The WAF's rules, read and compiled as `serve` does it; none where all sites have them off. */
async function loadRules(settings: Settings, deps: Omit<WafDeps, 'sites' | 'trace' | 'watch'>): Promise<OpenedWaf> {
  const [{ openWaf }, { siteWaf }, { RuleTrace }, { WafWatch }, { threadTime }] = await Promise.all([
    import('../../gateway/waf/open-waf.ts'),
    import('../../gateway/origins.ts'),
    import('../../gateway/waf/rule-trace.ts'),
    import('../../gateway/waf/waf-watch.ts'),
    import('../../core/thread-time.ts'),
  ]);
  const sites = [null, ...settings.sites.map(({ waf }) => waf)].map((waf) => ({ waf: siteWaf(settings, waf) }));
  const watch = new WafWatch({ ...deps, threadTime });
  return openWaf(settings, { ...deps, sites: { sites }, trace: new RuleTrace(deps.clock), watch });
}

function isConfigured({ env, cwd }: Call['io'], config: string | undefined): boolean {
  const named = config ?? env.PORTCULLIS_CONFIG ?? env.ORIGIN ?? env.PORTCULLIS_ORIGIN ?? env.PORTCULLIS_SITES;
  return Boolean(named) || existsSync(resolve(cwd, 'portcullis.yaml'));
}

/** Nothing is counted while scenarios are only compiled. */
const noCounts = { total: () => 0, since: () => 0, active: () => 0, activeTimeLeftMs: () => 0 };
