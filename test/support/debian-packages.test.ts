import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type CommandResult, installPackages, type PackageInstaller, runVisibly } from './debian-packages.ts';
import { createManualClock } from './manual-clock.ts';
import { findProgram } from './real-components.ts';

interface Machine extends PackageInstaller {
  readonly commands: string[];
  readonly said: string[];
  /** What the policy file held while each command ran. */
  readonly policies: string[];
}

/** apt-get played by `answers`; time passes whenever somebody sleeps. */
function machine(t: Test, answers: readonly Partial<CommandResult>[]): Machine {
  const policyFile = join(t.testdir(), 'policy-rc.d');
  const clock = createManualClock();
  const commands: string[] = [];
  const policies: string[] = [];
  const said: string[] = [];
  return {
    commands,
    said,
    policies,
    policyFile,
    say: (line) => void said.push(line),
    clock: {
      ...clock,
      async sleep(ms) {
        clock.advance(ms);
      },
    },
    async run(command, args) {
      commands.push([command, ...args.filter((arg) => !/^-|::|Timeout/.test(arg))].join(' '));
      policies.push(readFileSync(policyFile, 'utf8'));
      t.equal(statSync(policyFile).mode & 0o777, 0o755, 'maintainer scripts can run the policy');
      return { status: 0, output: '', ...answers[commands.length - 1] };
    },
  };
}

t.test('lists are updated, then packages installed, while services are forbidden', async (t) => {
  const each = machine(t, []);
  await installPackages(['nginx', 'apache2'], each);
  t.same(each.commands, ['apt-get update', 'apt-get install nginx apache2']);
  for (const policy of each.policies) t.match(policy, /^#!\/bin\/sh\n.*exit 101\n$/s);
  t.notOk(existsSync(each.policyFile), 'nothing is left behind');
  t.match(each.said, [/nginx, apache2/]);
});

t.test("an administrator's policy is back in its place afterwards, with its mode", async (t) => {
  for (const answers of [[], [{ status: 100, output: 'E: Unable to locate package' }]]) {
    const each = machine(t, answers);
    writeFileSync(each.policyFile, '#!/bin/sh\nexit 0\n');
    chmodSync(each.policyFile, 0o750);
    await installPackages(['nginx'], each).catch(() => undefined);
    t.ok(each.policies.every((policy) => policy.includes('exit 101')));
    t.equal(readFileSync(each.policyFile, 'utf8'), '#!/bin/sh\nexit 0\n');
    t.equal(statSync(each.policyFile).mode & 0o777, 0o750);
    t.notOk(existsSync(`${each.policyFile}.before-portcullis`));
  }
});

t.test('what an earlier, killed run left behind is cleared up', async (t) => {
  const first = machine(t, []);
  const ours = await installPackages(['nginx'], first).then(() => first.policies[0] ?? '');
  writeFileSync(first.policyFile, ours);
  await installPackages(['nginx'], first);
  t.notOk(existsSync(first.policyFile), "our own policy is nobody else's");

  writeFileSync(first.policyFile, ours);
  writeFileSync(`${first.policyFile}.before-portcullis`, 'theirs');
  await installPackages(['nginx'], first);
  t.equal(readFileSync(first.policyFile, 'utf8'), 'theirs');
});

t.test('another apt at work is waited for, but not for ever', async (t) => {
  const locked = {
    status: 100,
    output: 'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7 (apt)',
  };
  const soon = machine(t, [locked, locked]);
  await installPackages(['nginx'], soon);
  t.same(soon.commands, ['apt-get update', 'apt-get update', 'apt-get update', 'apt-get install nginx']);
  t.match(soon.said.at(-1), /waiting/);

  const never = machine(
    t,
    Array.from({ length: 1000 }, () => locked),
  );
  await t.rejects(installPackages(['nginx'], never), /apt-get update failed with status 100/);
  t.ok(never.commands.length < 100, `gave up after ${never.commands.length} tries`);
});

t.test('other failures end at once, with what to do', async (t) => {
  const interrupted = machine(t, [{}, { status: 100, output: 'E: dpkg was interrupted, you must manually run' }]);
  await t.rejects(installPackages(['nginx'], interrupted), /dpkg --configure -a/);
  const unknown = machine(t, [{}, { status: 100, output: 'E: Unable to locate package nginx' }]);
  await t.rejects(installPackages(['nginx'], unknown), /apt-get install --no-install-recommends nginx failed/);
  t.equal(unknown.commands.length, 2);
});

t.test('a command is run to its end, without questions, and its output returned', async (t) => {
  const { status, output } = await runVisibly('sh', ['-c', 'echo "$DEBIAN_FRONTEND"; echo err >&2; exit 3']);
  t.equal(status, 3);
  t.match(output, /noninteractive/);
  t.match(output, /err/);
  await t.rejects(runVisibly('/nonexistent/program', []), { code: 'ENOENT' });
});

t.test('programs are found in sbin too', async (t) => {
  t.match(findProgram('sh'), /\/sh$/);
  t.equal(findProgram('no-such-program-anywhere'), null);
});
