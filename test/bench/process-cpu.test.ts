/** CPU time is read for a whole process tree. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { coreBusyUs, processTreeCpuUs, residentBytes } from '../../bench/process-cpu.ts';

const skip = process.platform === 'linux' ? false : 'reads /proc, which only Linux has';

t.test('the time of grandchildren counts', { skip }, async (t) => {
  const burn = 'while (process.cpuUsage().user < 80_000); console.log("burnt"); process.stdin.resume()';
  const shell = `node -e '${burn.replaceAll("'", '"')}' & wait`;
  const child = spawn('/bin/sh', ['-c', shell.replace('node', process.execPath)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill());
  await once(child.stdout, 'data');
  const { pid } = child;
  t.ok(pid);
  // A shell alone needs a few milliseconds; its child has computed for 80.
  t.ok(processTreeCpuUs(pid ?? 0) >= 70_000);
  t.ok(processTreeCpuUs(process.pid) >= processTreeCpuUs(pid ?? 0));
  t.ok(coreBusyUs(0) > 0);
  t.throws(() => coreBusyUs(100_000), /no core 100000/);
  t.ok(residentBytes(process.pid) > 10 * 2 ** 20);
});

t.test('a process that has ended is an error, not zero', { skip }, async (t) => {
  const child = spawn('true');
  await once(child, 'exit');
  t.throws(() => processTreeCpuUs(child.pid ?? 0), /has ended/);
});
