import t from 'tap';
import { alertsView, type NotifiedAlert } from '../../../remediation/notify/alert-template-view.ts';
import { sampleAlert } from '../../../remediation/notify/sample-alert.ts';
import { compileTemplate } from '../../../remediation/notify/templates/template.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { countingRandom, testRuntime } from './templates/support.ts';

const first = sampleAlert({ clock: createManualClock(), random: countingRandom() });
const hostile: NotifiedAlert = {
  alert: {
    ...first.alert,
    machineId: 'm2',
    scenario: '<b>{{.x}}</b>',
    source: { ...first.alert.source, country: '', asName: 'A & "B"' },
    events: [...first.alert.events, ...first.alert.events],
  },
  decisions: [],
};

function render(source: string, alerts: readonly NotifiedAlert[] = [first, hostile]): string {
  return compileTemplate('alerts', source).render(alertsView(alerts, 'portcullis'), testRuntime());
}

/** What Go makes of the same alerts, decoded into the structs of CrowdSec's models. */
const cases: readonly (readonly [template: string, output: string])[] = [
  [
    '{{range .}}{{.Scenario}} {{.Source.IP}} {{.Source.Cn}} {{.MachineID}} {{.EventsCount}} {{.StartAt}} {{.Simulated}} {{.Capacity}}\n{{end}}',
    'portcullis/notification-test 192.0.2.1 FR portcullis 2 2025-12-31T23:59:59Z false 1\n<b>{{.x}}</b> 192.0.2.1  m2 2 2025-12-31T23:59:59Z false 1\n',
  ],
  [
    '{{range . -}}\n{{$alert := . -}}\n{{range .Decisions -}}\n{{if $alert.Source.Cn -}}\n:flag-{{$alert.Source.Cn}}: {{.Value}} will get {{.Type}} for next {{.Duration}} for triggering {{.Scenario}} on machine {{$alert.MachineID}}.{{end}}\n{{if not $alert.Source.Cn -}}\n:pirate_flag: {{.Value}}{{end}}\n{{end -}}\n{{end -}}\n',
    ':flag-FR: 192.0.2.1 will get ban for next 4h for triggering portcullis/notification-test on machine portcullis.\n\n',
  ],
  [
    '{{range .}}{{GetMeta . "http_path" | uniq | join ","}} {{len (GetMeta . "none")}} {{(index .Events 0).GetMeta "http_status"}} {{.GetScope}}:{{.GetValue}} {{.GetScenario}} {{.GetEventsCount}};{{end}}',
    '/wp-login.php 0 404 Ip:192.0.2.1 portcullis/notification-test 2;/wp-login.php 0 404 Ip:192.0.2.1 <b>{{.x}}</b> 2;',
  ],
  [
    '{{range .}}{{range .Events}}{{range .Meta}}{{.Key}}={{.Value}},{{end}}{{.Timestamp}};{{end}}{{end}}',
    'http_path=/wp-login.php,http_status=404,source_ip=192.0.2.1,2025-12-31T23:59:59.000Z;http_path=/wp-login.php,http_status=404,source_ip=192.0.2.1,2026-01-01T00:00:00.000Z;http_path=/wp-login.php,http_status=404,source_ip=192.0.2.1,2025-12-31T23:59:59.000Z;http_path=/wp-login.php,http_status=404,source_ip=192.0.2.1,2026-01-01T00:00:00.000Z;http_path=/wp-login.php,http_status=404,source_ip=192.0.2.1,2025-12-31T23:59:59.000Z;http_path=/wp-login.php,http_status=404,source_ip=192.0.2.1,2026-01-01T00:00:00.000Z;',
  ],
  [
    '{{range .}}{{.Source.GetAsNumberName}} {{.Source.AsName | HTMLEscape}} {{html .Scenario}} {{.Source.Latitude}} {{.Source.Range}}{{end}}',
    '64496 Example Network Example Network portcullis/notification-test 48.85 192.0.2.0/2464496 A & "B" A &amp; &#34;B&#34; &lt;b&gt;{{.x}}&lt;/b&gt; 48.85 192.0.2.0/24',
  ],
  [
    '{{Hostname}} {{len .}} {{range $i, $a := .}}{{$i}}{{with $a.Decisions}}{{len .}}{{else}}none{{end}}{{end}}',
    'gw.example 2 011none',
  ],
  [
    '{{(index . 0).Scenario | upper | quote}} {{(index . 0).Scenario | trimPrefix "portcullis/"}} {{ (index . 0).Message | trunc 10 }}',
    '"PORTCULLIS/NOTIFICATION-TEST" notification-test Ip 192.0.2',
  ],
  [
    '{{range .}}{{ .StopAt | toDate "2006-01-02T15:04:05Z07:00" | date "02.01.2006 15:04" }} {{end}}',
    '01.01.2026 00:00 01.01.2026 00:00 ',
  ],
  [
    '{{range .}}{{range .Decisions}}{{toPrettyJson .}}{{end}}{{end}}',
    '{\n  "duration": "4h",\n  "origin": "crowdsec",\n  "scenario": "portcullis/notification-test",\n  "scope": "Ip",\n  "type": "ban",\n  "until": "2026-01-01T04:00:00Z",\n  "uuid": "00000000-0000-4000-8000-000000000001",\n  "value": "192.0.2.1"\n}',
  ],
  [
    '{{range .}}{{.Source.Scope}} {{range .Meta}}{{.Key}}{{.Value}}{{end}}{{end}}',
    'Ip target_uri["/wp-login.php"]Ip target_uri["/wp-login.php"]',
  ],
  [
    '[{{range $i, $a := .}}{{if $i}},{{end}}{"content":{{printf "%s" $a.MachineID | toJson}},"value":{{$a.Source.Value | toJson}}}{{end}}]',
    '[{"content":"portcullis","value":"192.0.2.1"},{"content":"m2","value":"192.0.2.1"}]',
  ],
  [
    '{{range .}}{{if .Remediation}}R{{end}}{{if eq .MachineID "m2"}}M2{{end}}{{if eq .Source.Cn "FR"}}FR{{end}}{{.Kind}}{{.Labels}}{{.UUID | trunc 4}}{{end}}',
    'RFRcrowdsec[]0000RM2crowdsec[]0000',
  ],
];

t.test('templates for CrowdSec see the alerts that they expect', async (t) => {
  for (const [template, output] of cases) t.equal(render(template), output, template);
  t.equal(cases.length, 12);
});

t.test('an alert as JSON has the wire names of the Local API', async (t) => {
  const [one, two] = JSON.parse(render('{{.|toJson}}')) as Record<string, unknown>[];
  t.match(one, {
    capacity: 1,
    events_count: 2,
    machine_id: 'portcullis',
    remediation: true,
    simulated: false,
    source: {
      as_name: 'Example Network',
      as_number: '64496',
      cn: 'FR',
      ip: '192.0.2.1',
      scope: 'Ip',
      value: '192.0.2.1',
    },
    start_at: '2025-12-31T23:59:59Z',
    stop_at: '2026-01-01T00:00:00Z',
    decisions: [{ duration: '4h', origin: 'crowdsec', scope: 'Ip', type: 'ban', value: '192.0.2.1' }],
    labels: null,
  });
  t.strictSame([two?.['decisions'], two?.['machine_id']], [null, 'm2']);
  const source = two?.['source'] as Record<string, unknown>;
  t.notOk('cn' in source, 'an empty country is left out');
});

t.test('durations of decisions are written as profiles write them', async (t) => {
  const texts = [4 * 3_600_000, 90 * 60_000, 90_000, 3_600_000 + 30_000, 604_800_000, 400].map((ms) => {
    const [decision] = first.decisions;
    if (decision === undefined) throw new Error('the sample has a decision');
    const changed = { ...decision, until: decision.createdAt + ms };
    return render('{{range .}}{{range .Decisions}}{{.Duration}}{{end}}{{end}}', [{ ...first, decisions: [changed] }]);
  });
  t.strictSame(texts, ['4h', '1h30m', '1m30s', '1h0m30s', '168h', '0s']);
});

t.test('methods and members of alerts, sources and events', async (t) => {
  t.equal(
    render('{{range .}}{{.Source}}|{{printf "%s" .Source}}|{{.HasRemediation}};{{end}}', [first]),
    'Ip 192.0.2.1 (FR/64496)|Ip 192.0.2.1 (FR/64496)|true;',
  );
  t.equal(
    render('{{range .}}{{.GetMeta "http_path"}} {{.GetMeta "nope"}}{{.Source.GetScope}}{{.Source.GetValue}}{{end}}', [
      first,
    ]),
    '/wp-login.php Ip192.0.2.1',
  );
  // Go prints the address of a pointer here; a person wants what it points at.
  t.equal(
    render(
      '{{range .}}{{printf "%s %v %d" .Scenario .Simulated .EventsCount}}{{if eq .Scenario "portcullis/notification-test"}}!{{end}}{{end}}',
      [first],
    ),
    'portcullis/notification-test false 2!',
  );
  t.equal(
    render('{{range .}}{{.Labels}}{{end}}', [{ ...first, alert: { ...first.alert, labels: { service: 'http' } } }]),
    '[service:http]',
  );
});
