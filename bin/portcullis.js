#!/usr/bin/env node
/**
 * The entry, and the only JavaScript file: an older Node must be able to read it, to say what is wrong. Sets the flags of
 * the regular-expression engine before anything compiles a pattern, then runs the sources of a checkout, or what the build
 * made of them.
 */
import { existsSync, mkdirSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

const oldestNode = 24;
/** sysexits EX_UNAVAILABLE, as `core/errors.ts` has it. */
const unavailable = 69;

async function run() {
  const major = Number(process.versions.node.split('.', 1)[0]);
  if (!(major >= oldestNode)) {
    process.stderr.write(
      `portcullis: this is Node ${process.versions.node} (${process.execPath}); Portcullis needs Node ${oldestNode} or later.\n` +
        'Start it with `npm start` or `npm run cli --`, which bring the right Node along, or install a newer Node.\n',
    );
    return unavailable;
  }
  // Backtracking beyond the limit continues in the linear engine: no pattern can stop the event loop.
  setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
  setFlagsFromString('--regexp-backtracks-before-fallback=1000');
  // The first run of a pattern is interpreted: shortening its code for that one run takes longer than everything else.
  setFlagsFromString('--no-regexp-peephole-optimization');
  // With one core, threads that help the collector only compete with the thread that they help.
  if (availableParallelism() === 1) setFlagsFromString('--single-threaded-gc');
  const sources = new URL('../cli/main.ts', import.meta.url);
  const built = new URL('../build/cli/main.js', import.meta.url);
  const entry = existsSync(sources) ? sources : built;
  if (!existsSync(entry)) {
    process.stderr.write('portcullis: neither cli/main.ts nor build/cli/main.js is here; run `npm run build`.\n');
    return unavailable;
  }
  if (entry === sources) keepCompiled();
  const { main } = await import(entry.href);
  return main(process.argv.slice(2), {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
  });
}

/**
 * What Node makes of the sources of a checkout is kept beside its packages: stripping types is half of a short verb's time.
 * Whoever can write there could change the packages themselves. Where it cannot be written, nothing is kept.
 */
function keepCompiled() {
  const packages = new URL('../node_modules/', import.meta.url);
  // Coverage counts what is compiled anew.
  if (process.env.NODE_V8_COVERAGE !== undefined || !existsSync(packages)) return;
  const kept = fileURLToPath(new URL('.cache/portcullis', packages));
  try {
    mkdirSync(kept, { recursive: true, mode: 0o700 });
    nodeModule.enableCompileCache(kept);
  } catch {
    // Another user's checkout: what is there is not for this one.
  }
}

// `| head` closes the pipe early, and whoever reads the gateway's output may go away: neither is a reason to fall over.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

process.exitCode = await run();
