/** `serve`: runs the gateway in the foreground until it is told to stop. */
import { exitStatus, messageOf } from '../../core/errors.ts';
import type { RunningGateway } from '../../gateway/main.ts';
import type { Call, Command } from '../command.ts';
import { calledAs } from '../invocation.ts';
import { Output } from '../output/output.ts';
import { plural } from '../show.ts';

export const serve: Command = {
  name: 'serve',
  aliases: ['start', 'run'],
  summary: 'run the gateway',
  usage: '[--config <file>]',
  examples: [
    ['ORIGIN=http://127.0.0.1:3000 portcullis serve', 'in front of one web server'],
    ['portcullis serve --config /etc/portcullis/portcullis.yaml', 'with a settings file'],
    ['portcullis serve', 'without either: the demo'],
  ],
  options: {},
  positionals: { least: 0, most: 0 },
  run,
};

async function run({ io, given }: Call): Promise<number> {
  // On standard error, as the log is: standard output may be the access log.
  const output = new Output({ ...io, stdout: io.stderr }, 'human');
  const signals = createSignals();
  try {
    const { startGateway } = await import('../../gateway/main.ts');
    const gateway = await startGateway({
      configFile: given.text('config') ?? null,
      env: io.env,
      cwd: io.cwd,
      onProgress: (decisions) => {
        if (decisions > 0) output.line(output.paint('dim', `  reading decisions: ${decisions}`));
      },
    });
    showBanner(output, gateway);
    signals.onReopen(() => gateway.reopenLogs());
    await signals.stopped;
    output.line(output.paint('dim', `Stopping: requests in flight may finish. Again to stop at once.`));
    const forced = signals.again.then(() => 'forced' as const);
    const end = await Promise.race([gateway.stop().then(() => 'stopped' as const), forced]);
    if (end === 'forced') {
      output.line(output.paint('yellow', 'Stopped at once.'));
      process.exit(exitStatus.failed);
    }
    return exitStatus.ok;
  } finally {
    signals.close();
  }
}

interface Signals {
  /** Resolves with the first SIGTERM or SIGINT. */
  readonly stopped: Promise<void>;
  /** Resolves with the second. */
  readonly again: Promise<void>;
  onReopen(reopen: () => void): void;
  close(): void;
}

function createSignals(): Signals {
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  let count = 0;
  const stop = (): void => {
    if (++count === 1) first.resolve();
    else second.resolve();
  };
  let reopen = (): void => {};
  const onHangup = (): void => reopen();
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', onHangup);
  return {
    stopped: first.promise,
    again: second.promise,
    onReopen(run) {
      reopen = () => {
        try {
          run();
        } catch (thrown) {
          process.stderr.write(`the access log cannot be opened anew: ${messageOf(thrown)}\n`);
        }
      };
    },
    close() {
      process.off('SIGTERM', stop);
      process.off('SIGINT', stop);
      process.off('SIGHUP', onHangup);
    },
  };
}

/** An address of TEST-NET-3 that the demo's visitor speaks for. */
const visitor = '203.0.113.9';

function showBanner(output: Output, gateway: RunningGateway): void {
  const { url, adminUrl, facts, mode, demo, scenarios, decisions, settings } = gateway;
  const origins = settings.sites.map(({ hosts, origin }) => `${hosts[0] ?? ''} → ${origin}`);
  if (settings.origin !== null && !demo) origins.unshift(settings.origin);
  const [firstOrigin = ''] = origins;
  const behind = demo
    ? 'a demo site, because no origin is set'
    : origins.length > 1
      ? `${firstOrigin} and ${origins.length - 1} more`
      : firstOrigin;
  output.line();
  output.heading(`Portcullis ${facts.version}`);
  output.pairs(
    [
      ['gateway', output.paint('cyan', facts.listenSocket ?? url)],
      ...(behind === '' ? [] : [['protects', behind] as const]),
      [
        'mode',
        mode === 'block'
          ? output.paint('green', 'block')
          : output.paint('yellow', 'observe: everything is noticed, nothing refused'),
      ],
      ...facts.lapiUrls.map((place) => ['local api', place] as const),
      ...(facts.forwardAuthUrl === null ? [] : [['forward-auth', facts.forwardAuthUrl] as const]),
      ['health', adminUrl === null ? 'off' : `${adminUrl}/health`],
      ['knows', `${plural(scenarios, 'scenario')}, ${plural(decisions, 'decision')}`],
    ],
    '  ',
  );
  output.line();
  if (demo) showDemo(output, url);
  else {
    output.line(`  ${output.paint('dim', 'Prove that it works:')}   ${calledAs} selftest`);
    output.line(`  ${output.paint('dim', 'See what it decided:')}   ${calledAs} decisions list`);
  }
  output.line();
}

function showDemo(output: Output, url: string): void {
  const probes = '{.env,.git/config,.aws/credentials,wp-config.php.bak,backup.sql,id_rsa,.htpasswd,phpinfo.php}';
  output.line(`  ${output.paint('dim', 'Attack it, as a visitor from')} ${visitor}${output.paint('dim', ':')}`);
  output.line(`    curl -s -o /dev/null -w '%{http_code}\\n' -H 'X-Forwarded-For: ${visitor}' '${url}/${probes}'`);
  output.line(`  ${output.paint('dim', 'Ask why that visitor is refused:')}`);
  output.line(`    ${calledAs} why ${visitor}`);
  output.line(`  ${output.paint('dim', 'Lift the ban:')}`);
  output.line(`    ${calledAs} decisions delete --ip ${visitor}`);
}
