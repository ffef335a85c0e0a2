/**
 * Every flag of cscli 1.4.6 (its `--help`, one verb after the other) is understood here: used, or refused with a reason. Newer
 * flags stand below. `i ip=` is `-i, --ip <value>`.
 */
import t from 'tap';
import { parseCommand } from '../../cli/arguments.ts';
import { commonOptions, silentOptions } from '../../cli/command.ts';
import { commands } from '../../cli/commands.ts';

const everyVerb = ['c config=', 'o output=', 'color=', 'debug', 'info', 'warning', 'error', 'trace', 'h help'];

const flags: Readonly<Record<string, readonly string[]>> = {
  'alerts list': [
    'a all',
    'until=',
    'since=',
    'i ip=',
    's scenario=',
    'r range=',
    'type=',
    'scope=',
    'v value=',
    'contained',
    'm machine',
    'l limit=',
  ],
  'alerts inspect': ['d details'],
  'alerts delete': ['scope=', 'v value=', 's scenario=', 'i ip=', 'r range=', 'id=', 'a all', 'contained'],
  'alerts flush': ['max-items=', 'max-age='],
  'decisions list': [
    'a all',
    'since=',
    'until=',
    't type=',
    'scope=',
    'origin=',
    'v value=',
    's scenario=',
    'i ip=',
    'r range=',
    'l limit=',
    'no-simu',
    'm machine',
    'contained',
  ],
  'decisions add': ['i ip=', 'r range=', 'd duration=', 'v value=', 'scope=', 'R reason=', 't type='],
  'decisions delete': ['i ip=', 'r range=', 't type=', 'v value=', 's scenario=', 'id=', 'all', 'contained'],
  'decisions import': ['i input=', 'd duration=', 'scope=', 'R reason=', 't type='],
  'bouncers add': ['k key=', 'l length='],
  'bouncers list': [],
  'bouncers delete': [],
  'machines add': ['a auto', 'f file=', 'force', 'i interactive', 'p password=', 'u url='],
  'machines list': [],
  'machines delete': ['m machine='],
  'machines validate': [],
  metrics: ['no-unit', 'u url='],
  'simulation enable': ['g global'],
  'simulation disable': ['g global'],
  'simulation status': [],
  'notifications list': [],
  'notifications inspect': [],
  'notifications reinject': ['a alert=', 'r remediation'],
  'lapi status': [],
  'lapi register': ['f file=', 'machine=', 'u url='],
  'config show': ['key='],
  'support dump': ['f outFile='],
  completion: [],
};

/** Of cscli 1.6 and 1.7. */
const newer: Readonly<Record<string, readonly string[]>> = {
  'alerts list': ['origin='],
  'decisions add': ['B bypass-allowlist'],
  'decisions delete': ['origin='],
  'decisions import': ['format=', 'b batch='],
  'bouncers delete': ['ignore-missing'],
  'bouncers inspect': [],
  'bouncers prune': ['d duration=', 'force'],
  'machines delete': ['ignore-missing'],
  'machines inspect': ['H hub'],
  'machines prune': ['d duration=', 'not-validated-only', 'force'],
  'lapi register': ['token='],
  'lapi context': ['key=', 'value='],
  'notifications test': ['a alert='],
  'metrics show': ['no-unit', 'u url='],
  'metrics list': [],
  'support dump': ['F fast'],
  'allowlists create': ['d description='],
  'allowlists list': [],
  'allowlists inspect': [],
  'allowlists add': ['e expiration=', 'd comment='],
  'allowlists remove': [],
  'allowlists delete': [],
  'allowlists check': [],
  'allowlists import': ['i input=', 'e expiration=', 'd comment='],
};

t.test('every flag of cscli is understood', async (t) => {
  let checked = 0;
  for (const [verb, named] of [...Object.entries(flags), ...Object.entries(newer)]) {
    const command = commands.find(({ name }) => name === verb);
    if (command === undefined) {
      t.fail(`there is no ${verb}`);
      continue;
    }
    const known = { ...silentOptions, ...command.options, ...commonOptions, ...command.refused };
    for (const flag of [...everyVerb, ...named]) {
      const [, short, name = '', value] = /^(?:(\w) )?([\w-]+)(=)?$/.exec(flag) ?? [];
      const option = known[name];
      t.equal(option?.type, value === undefined ? 'boolean' : 'string', `${verb} --${name}`);
      if (short !== undefined) t.equal(option?.short, short, `${verb} -${short}`);
      checked++;
    }
  }
  t.equal(checked, 562);
});

t.test('what cannot mean anything here is refused with a sentence', async (t) => {
  const refusing = commands.filter(({ refused }) => refused !== undefined);
  t.ok(refusing.length >= 3);
  for (const command of refusing) {
    for (const [name, { type, because }] of Object.entries(command.refused ?? {})) {
      t.match(because, /^[A-Z].*\.$/, `${command.name} --${name}`);
      const words = type === 'boolean' ? [`--${name}`] : [`--${name}`, 'x'];
      t.throws(() => parseCommand(command, words), { code: 'USAGE', message: `--${name} cannot be used here` });
    }
  }
});
