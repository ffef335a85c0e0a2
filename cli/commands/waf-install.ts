/** `waf install` */
import { exitStatus, GatewayError } from '../../core/errors.ts';
import { createSystemRandom } from '../../core/random.ts';
import type { Call, Command } from '../command.ts';
import { calledAs } from '../invocation.ts';
import { createProgressLine } from '../output/progress-line.ts';
import { safeText } from '../output/safe-text.ts';
import { sizeText } from '../output/sizes.ts';
import { plural } from '../show.ts';
import { settingsHere } from '../settings-here.ts';

export const wafInstall: Command = {
  name: 'waf install',
  summary: 'install the OWASP Core Rule Set',
  usage: 'crs --from <folder | archive | address>',
  examples: [
    [
      'portcullis waf install crs --from coreruleset-4.29.0-minimal.tar.gz',
      'a release from github.com/coreruleset/coreruleset',
    ],
    ['portcullis waf install crs --from /usr/share/modsecurity-crs', "Debian's package modsecurity-crs"],
    ['portcullis waf install crs --from https://… --sha256 <digest>', 'fetches a release and checks it'],
  ],
  options: {
    from: { type: 'string', placeholder: '<place>', help: 'a folder, a .tar.gz, or the address of one' },
    sha256: { type: 'string', placeholder: '<digest>', help: 'what the archive must hash to' },
  },
  positionals: { least: 1, most: 1, missing: 'what is to be installed? Only crs is known' },
  run,
};

async function run({ output, given, io, clock }: Call): Promise<number> {
  const [what = ''] = given.positionals;
  const from = given.text('from');
  if (what !== 'crs') throw new GatewayError('USAGE', `"${what}" is nothing that can be installed; crs is`);
  if (from === undefined) {
    throw new GatewayError('USAGE', 'it does not say where from', {
      remedy: 'Get a release at https://github.com/coreruleset/coreruleset/releases and name it with --from.',
    });
  }
  const [{ installCoreRules }, { coreFolderIn }, { createDownloader }] = await Promise.all([
    import('../../detectors/waf/core-rules/install-core-rules.ts'),
    import('../../detectors/waf/core-rules/core-folder.ts'),
    import('../../detectors/hub/download.ts'),
  ]);
  const { dataDir, hub, waf } = await settingsHere(given.text('config'), io);
  const to = waf.coreRules.folder ?? coreFolderIn(dataDir);
  const random = createSystemRandom();
  const downloader = createDownloader({ clock, random, env: io.env, timeoutMs: hub.timeout });
  const line = createProgressLine(io.stderr, clock);
  try {
    const request = {
      from,
      to,
      sha256: given.text('sha256') ?? null,
      onProgress: (received: number) => line.show(() => `fetching ${safeText(from)}  ${sizeText(received)}`),
    };
    const installed = await installCoreRules(request, { downloader, random });
    line.clear();
    report(output, installed, to, waf.coreRules.mode);
    return installed.faults.some(({ level }) => level === 'error') ? exitStatus.failed : exitStatus.ok;
  } finally {
    line.clear();
    await downloader.close();
  }
}

type Installed = Awaited<
  ReturnType<typeof import('../../detectors/waf/core-rules/install-core-rules.ts').installCoreRules>
>;

function report(output: Call['output'], installed: Installed, to: string, mode: string): void {
  const { version, rules, keptSetup, faults } = installed;
  const errors = faults.filter(({ level }) => level === 'error');
  if (output.format === 'json') {
    output.json({
      version,
      rules,
      folder: to,
      kept_setup: keptSetup,
      faults: errors.map(({ place, reason }) => ({ file: place.file, line: place.line, reason })),
    });
    return;
  }
  if (output.format === 'raw') return output.line(safeText(version));
  output.line(`${safeText(version === '' ? 'The rules' : version)}: ${plural(rules, 'rule')} in ${safeText(to)}.`);
  if (keptSetup) output.line('Your crs-setup.conf was kept; the new one is beside it as crs-setup.conf.example.');
  for (const { place, reason } of errors) {
    output.line(`${output.paint('red', 'not used')} ${safeText(`${place.file}:${place.line}: ${reason}`)}`);
  }
  output.line(
    mode === 'off'
      ? 'They run once `waf.coreRules.mode` is observe or block.'
      : `The gateway runs them from its next start on, in mode ${mode}.`,
  );
  if (mode === 'observe') output.line(`What they would have refused: ${calledAs} waf exceptions suggest`);
}
