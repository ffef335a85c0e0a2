/** CrowdSec's Local API as Debian packages it, with SQLite, alone. */
import { readFile, writeFile } from 'node:fs/promises';
import { successful } from '../../test/support/servers/crowdsec-folder.ts';
import { startCrowdsecLapi } from '../../test/support/servers/crowdsec-lapi.ts';
import { bouncerNames, type StartContender } from './contender.ts';

export const startCrowdsec: StartContender = async (t, options) => {
  const lapi = await startCrowdsecLapi(t);
  const keys: string[] = [];
  for (const name of bouncerNames(options.bouncers)) keys.push(await lapi.addBouncer(name));
  const { machineId, password } = await lapi.addMachine('bench');
  const pid = lapi.pid();
  return {
    name: 'crowdsec',
    about: `CrowdSec 1.4.6, its Local API alone with SQLite, ${options.crowdsecDecisions} decisions`,
    port: lapi.port,
    pid,
    keys,
    machine: { id: machineId, password },
    decisions: options.crowdsecDecisions,
    sitePort: null,
    async importDecisions(file) {
      // This release reads CSV and JSON only.
      const list = `${file}.csv`;
      await writeFile(list, `value\n${await readFile(file, 'utf8')}`);
      successful(await lapi.cscli('decisions', 'import', '-i', list, '--duration', '24h'));
    },
  };
};
