/** Alerts handed in, refused, searched and read back. */
import { gzipSync } from 'node:zlib';
import type { Exchange } from './exchange.ts';
import { agentAlert, goTime, manualAlert } from './samples.ts';

const machine = { machine: 'm1' } as const;
const hours = 3_600_000;

const post = (name: string, body: unknown, more: Partial<Exchange> = {}): Exchange => ({
  name,
  as: machine,
  method: 'POST',
  path: '/v1/alerts',
  body,
  ...more,
});
const search = (name: string, query: string, old?: Exchange['old']): Exchange => ({
  name,
  as: machine,
  method: 'GET',
  path: `/v1/alerts?${query}`,
  ...(old === undefined ? {} : { old }),
});

/** Nothing of these is kept by the server. */
export function refusedAlertExchanges(now: number): readonly Exchange[] {
  const good = agentAlert('192.0.2.200', now);
  const without = (field: string): object =>
    Object.fromEntries(Object.entries(good).filter(([name]) => name !== field));
  return [
    post('no alerts', []),
    post('null instead of alerts', null),
    post('an alert that is not in an array', {}),
    post('alerts that are no JSON', '[{"capacity":'),
    post('alerts that are a word', 'alerts'),
    post('alerts in an empty body', ''),
    post('an alert with nothing in it', [{}]),
    post('an alert that is null', [null]),
    post('a number instead of an alert', [1]),
    ...[
      'scenario',
      'message',
      'events',
      'events_count',
      'start_at',
      'source',
      'simulated',
      'leakspeed',
      'scenario_hash',
    ].map((field) => post(`an alert without ${field}`, [without(field)])),
    post('an alert whose capacity is text', [{ ...good, capacity: '5' }]),
    post('an alert whose message is a number', [{ ...good, message: 5 }]),
    post('an alert whose events are null', [{ ...good, events: null }]),
    post('an event without meta', [{ ...good, events: [{ timestamp: goTime(now) }] }]),
    post('an event whose meta is null', [{ ...good, events: [{ timestamp: goTime(now), meta: null }] }]),
    post('an event without a timestamp', [{ ...good, events: [{ meta: [] }] }]),
    post('a source without a scope', [{ ...good, source: { value: '192.0.2.200' } }]),
    post('a source without a value', [{ ...good, source: { scope: 'Ip' } }]),
    post('a decision without a value', [
      { ...good, decisions: [{ duration: '1h', origin: 'x', scenario: 's', scope: 'Ip', type: 'ban' }] },
    ]),
    post('a decision without a duration', [
      { ...good, decisions: [{ value: '192.0.2.200', origin: 'x', scenario: 's', scope: 'Ip', type: 'ban' }] },
    ]),
    post('one good alert, one bad', [good, {}]),
    post('a duration that is none', [manualAlert([{ value: '192.0.2.201', duration: 'soon' }], now)]),
    post('a duration without a unit', [manualAlert([{ value: '192.0.2.201', duration: '60' }], now)]),
    search('nothing has been kept of what was refused', 'ip=192.0.2.200'),
    search('nor of what had no duration', 'ip=192.0.2.201'),
  ];
}

export function acceptedAlertExchanges(now: number): readonly Exchange[] {
  return [
    post('an attack that an agent reports', [agentAlert('192.0.2.10', now)], { keep: { attack: '0' } }),
    { name: 'the attack', as: machine, method: 'GET', path: '/v1/alerts/{attack}' },
    { name: 'the attack by HEAD', as: machine, method: 'HEAD', path: '/v1/alerts/{attack}' },
    { name: 'the attack without a token', as: 'nobody', method: 'GET', path: '/v1/alerts/{attack}' },
    { name: 'an alert that is not there', as: machine, method: 'GET', path: '/v1/alerts/999999' },
    { name: 'an alert that is no number', as: machine, method: 'GET', path: '/v1/alerts/first' },
    { name: 'an alert of a negative number', as: machine, method: 'GET', path: '/v1/alerts/-1' },
    post('an attack that profiles do not decide', [agentAlert('192.0.2.11', now, { remediation: false })]),
    post('an attack by a range', [
      agentAlert('192.0.2.12', now, {
        source: { scope: 'Range', value: '198.51.100.0/24', range: '198.51.100.0/24', ip: '198.51.100.3' },
      }),
    ]),
    post('a simulated attack', [agentAlert('192.0.2.13', now, { simulated: true })]),
    post('three alerts at once', [
      agentAlert('192.0.2.14', now),
      agentAlert('192.0.2.15', now, { scenario: 'test/http-probing' }),
      manualAlert([{ value: '192.0.2.16', duration: '1h', type: 'captcha' }], now),
    ]),
    post(
      'an attack of the day before yesterday',
      [agentAlert('192.0.2.17', now, { start_at: goTime(now - 48 * hours), stop_at: goTime(now - 48 * hours) })],
      { keep: { old: '0' } },
    ),
    { name: 'its decision is long over', as: machine, method: 'GET', path: '/v1/alerts/{old}' },
    post(
      'an attack with places',
      [
        agentAlert('192.0.2.18', now, {
          source: {
            scope: 'Ip',
            value: '192.0.2.18',
            ip: '192.0.2.18',
            range: '192.0.2.0/24',
            as_number: '64500',
            as_name: 'EXAMPLE',
            cn: 'DE',
            latitude: 52.5,
            longitude: 13.4,
          },
          meta: [{ key: 'target_user', value: '["root"]' }],
          labels: ['a', 'b'],
        }),
      ],
      { keep: { placed: '0' } },
    ),
    { name: 'the places come back', as: machine, method: 'GET', path: '/v1/alerts/{placed}' },
    post(
      'texts that are empty',
      [
        agentAlert('192.0.2.19', now, {
          message: '',
          scenario_hash: '',
          scenario_version: '',
          leakspeed: '',
          events: [],
        }),
      ],
      { keep: { bare: '0' } },
    ),
    { name: 'empty texts come back', as: machine, method: 'GET', path: '/v1/alerts/{bare}' },
    post(
      'times that are none',
      [
        agentAlert('192.0.2.20', now, {
          start_at: 'yesterday',
          stop_at: '',
          events: [{ timestamp: 'noon', meta: [] }],
        }),
      ],
      { keep: { timeless: '0' } },
    ),
    { name: 'they have become now', as: machine, method: 'GET', path: '/v1/alerts/{timeless}' },
    post('keys of the future', [
      { ...agentAlert('192.0.2.21', now), colour: 'red', uuid: 'f0b4f0ff-0000-4000-8000-000000000001', kind: 'waf' },
    ]),
    post('a scenario that leads to no decision', [
      agentAlert('192.0.2.22', now, { scenario: 'test/quiet', remediation: false }),
    ]),
    post('a ban by hand', [manualAlert([{ value: '192.0.2.30' }], now)], { keep: { manual: '0' } }),
    { name: 'the ban by hand', as: machine, method: 'GET', path: '/v1/alerts/{manual}' },
    post('several decisions of one alert', [
      manualAlert(
        [
          { value: '192.0.2.31' },
          { value: '192.0.2.32', duration: '2h' },
          { value: '192.0.2.31', type: 'captcha', duration: '8h' },
        ],
        now,
      ),
    ]),
    post('a range by hand', [manualAlert([{ value: '203.0.113.0/26', scope: 'Range' }], now)]),
    post('a range of IPv6', [manualAlert([{ value: '2001:db8:1::/48', scope: 'Range' }], now)]),
    post('an address of IPv6 in capitals', [manualAlert([{ value: '2001:DB8:0:0::1' }], now)]),
    post('a range whose address has bits too many', [
      manualAlert([{ value: '198.51.100.70/26', scope: 'Range' }], now),
    ]),
    post('an address as a range', [manualAlert([{ value: '198.51.100.200', scope: 'Range' }], now)]),
    post('a range with scope Ip', [manualAlert([{ value: '198.51.101.0/30', scope: 'Ip' }], now)]),
    post('a country and a system', [
      manualAlert(
        [
          { value: 'KP', scope: 'Country' },
          { value: '64511', scope: 'AS' },
          { value: 'alice', scope: 'username' },
        ],
        now,
      ),
    ]),
    post('a kind of its own', [manualAlert([{ value: '192.0.2.33', type: 'throttle' }], now)]),
    post('another origin', [
      manualAlert([{ value: '192.0.2.34', origin: 'cscli-import', scenario: 'list of mine' }], now),
    ]),
    post('half an hour', [manualAlert([{ value: '192.0.2.35', duration: '0.5h' }], now)]),
    post('a duration of several units', [manualAlert([{ value: '192.0.2.36', duration: '1h30m0s' }], now)]),
    post('a duration of the past', [manualAlert([{ value: '192.0.2.37', duration: '-1h' }], now)]),
    post('a hundred years', [manualAlert([{ value: '192.0.2.38', duration: '876000h' }], now)]),
    post('alerts with another content type', [manualAlert([{ value: '192.0.2.43' }], now)], {
      headers: { 'Content-Type': 'text/plain' },
    }),
  ];
}

/** What 1.4.6 takes otherwise than its successors; what it keeps of these it would show in other answers too, so they come last. */
export function oddAlertExchanges(now: number): readonly Exchange[] {
  const live = (name: string, ip: string): Exchange => ({
    name,
    as: { bouncer: 'b1' },
    method: 'GET',
    path: `/v1/decisions?ip=${ip}`,
  });
  return [
    post(
      'scopes in small letters',
      [
        manualAlert(
          [
            { value: '192.0.2.39', scope: 'ip' },
            { value: '198.51.102.0/24', scope: 'range' },
            { value: '64512', scope: 'as' },
          ],
          now,
        ),
      ],
      { keep: { small: '0' } },
    ),
    { name: 'scopes as they are kept', as: machine, method: 'GET', path: '/v1/alerts/{small}' },
    post('a duration in days', [manualAlert([{ value: '192.0.2.40', duration: '2d' }], now)]),
    post('an address that is none', [manualAlert([{ value: '192.0.2.300' }], now)]),
    post('an address that is none beside one that is', [
      manualAlert([{ value: '192.0.2.41' }, { value: 'nowhere' }], now),
    ]),
    post('alerts that are compressed', gzipSync(JSON.stringify([manualAlert([{ value: '192.0.2.42' }], now)])), {
      headers: { 'Content-Encoding': 'gzip', 'Content-Type': 'application/json' },
    }),
    live('a decision in days', '192.0.2.40'),
    live('the address that was one', '192.0.2.41'),
    live('the address that was compressed', '192.0.2.42'),
    live('a scope in small letters is a scope', '192.0.2.39'),
  ];
}

export const alertSearchExchanges: readonly Exchange[] = [
  { name: 'all alerts', as: machine, method: 'GET', path: '/v1/alerts' },
  { name: 'all alerts by HEAD', as: machine, method: 'HEAD', path: '/v1/alerts' },
  search('alerts about an address', 'ip=192.0.2.10'),
  search('alerts about an address in a range', 'ip=203.0.113.9'),
  search('alerts about an address that nobody has', 'ip=192.0.2.250'),
  search('alerts about what is no address', 'ip=zzz'),
  search('alerts about an empty address', 'ip='),
  search('alerts about a range', 'range=203.0.113.0/24'),
  search('alerts within a range', 'range=203.0.113.0/24&contains=false'),
  search('alerts with contains that is neither', 'ip=192.0.2.10&contains=maybe'),
  search('alerts by scope', 'scope=Range'),
  search('alerts by scope in small letters', 'scope=ip&value=192.0.2.10'),
  search('alerts by value', 'value=192.0.2.31'),
  search('alerts by scenario', 'scenario=test/http-probing'),
  search('alerts by a scenario that nobody has', 'scenario=ssh'),
  search('alerts by a scenario that led to no decision', 'scenario=test/quiet', {
    path: '/v1/alerts?value=192.0.2.22',
    reason: '§1.7: 1.4.6 looks at the scenarios of decisions only',
  }),
  search('alerts by origin', 'origin=cscli-import'),
  search('alerts by kind of decision', 'decision_type=captcha'),
  search('alerts since', 'since=1h&value=192.0.2.17'),
  search('alerts since days', 'since=3d&value=192.0.2.17'),
  search('alerts until', 'until=24h'),
  search('alerts since nobody knows when', 'since=yesterday'),
  search('alerts created before', 'created_before=1h'),
  search('alerts with decisions in force', 'has_active_decision=true&limit=5'),
  search('alerts without any decision', 'has_active_decision=false'),
  search('alerts with decisions perhaps', 'has_active_decision=perhaps'),
  search('alerts without the community', 'include_capi=false', {
    path: '/v1/alerts',
    reason: '§1.7: 1.4.6 hides more than what the Central API and lists brought, of which there is nothing here',
  }),
  search('alerts with the community', 'include_capi=true&limit=3'),
  search('alerts with the community perhaps', 'include_capi=perhaps'),
  search('simulated alerts', 'simulated=true&value=192.0.2.13'),
  search('alerts that are not simulated', 'simulated=false&value=192.0.2.13'),
  search('simulated alerts beside others', 'simulated=true&value=192.0.2.10'),
  search('two alerts', 'limit=2'),
  search('alerts without a limit', 'limit=0'),
  search('a limit that is none', 'limit=many'),
  search('oldest alerts first', 'sort=ASC&limit=2'),
  search('a sort that is none', 'sort=up&limit=2'),
  search('an unknown filter', 'colour=red'),
  search('alerts by kind', 'kind=waf', {
    path: '/v1/alerts?value=192.0.2.21',
    reason: '§1.7: 1.4.6 has no kinds; one alert says that it is of the WAF',
  }),
  search('alerts without their decisions', 'with_decisions=false&limit=1', {
    path: '/v1/alerts?limit=1',
    reason: '§1.7: 1.4.6 does not know the parameter',
  }),
  search('as cscli asks', 'has_active_decision=true&include_capi=false&limit=100', {
    path: '/v1/alerts?has_active_decision=true&limit=100',
    reason: '§1.7: 1.4.6 hides more than what the Central API and lists brought, of which there is nothing here',
  }),
];
