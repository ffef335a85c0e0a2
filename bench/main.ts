/** `npm run bench -- <what> [flags]`: measurements, each against named peers. One module per measurement. */
import { GatewayError, exitStatus, messageOf } from '../core/errors.ts';

const usage = `npm run bench -- <measurement> [flags]

  proxy       requests per second and CPU time per request, against nginx, HAProxy, Caddy and plain Node proxies
  decisions   the decision index: lookups, loading, memory
  engine      log lines per CPU second, against CrowdSec (whose alerts must be the same) and fail2ban
  waf         CPU time per request that the Core Rule Set costs, against ModSecurity 2 and 3
  lapi        the Local API: import, live questions, streams, alerts, against CrowdSec's
  pumped      CPU time of requests that are hard on the Core Rule Set's patterns

Each prints its own flags with --help.
`;

async function main(args: readonly string[]): Promise<number> {
  const [what, ...rest] = args;
  switch (what) {
    case 'proxy': {
      const { benchProxy } = await import('./proxy.ts');
      return benchProxy(rest);
    }
    case 'decisions': {
      const { benchDecisions } = await import('./decisions.ts');
      await benchDecisions(rest);
      return exitStatus.ok;
    }
    case 'engine': {
      const { benchEngine } = await import('./engine/engine.ts');
      return benchEngine(rest);
    }
    case 'waf': {
      const { benchWaf } = await import('./waf/waf.ts');
      return benchWaf(rest);
    }
    case 'lapi': {
      const { benchLapi } = await import('./lapi/lapi.ts');
      return benchLapi(rest);
    }
    case 'pumped': {
      const { benchPumped } = await import('./waf/pumped.ts');
      return benchPumped(rest);
    }
    default:
      process.stderr.write(usage);
      return what === undefined || what === '--help' ? exitStatus.ok : exitStatus.usage;
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof GatewayError && error.code === 'USAGE' ? exitStatus.usage : exitStatus.failed;
}
