import t from 'tap';
import { phaseOf } from '../../../detectors/scenarios/phase.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { scenarioExpressions } from './support.ts';

const { event } = scenarioExpressions(createManualClock());

t.test('an expression that reads the response awaits it', async (t) => {
  const cases: [string, 'request' | 'response'][] = [
    ["evt.Meta.http_path == '/'", 'request'],
    ["evt.Parsed.verb + evt.Meta.source_ip != ''", 'request'],
    ["evt.Meta.http_args_len != '0'", 'request'],
    ["evt.Meta.http_status == '404'", 'response'],
    ["evt.GetMeta('http_status') == '404'", 'response'],
    ["evt.Meta['http_status'] == '404'", 'response'],
    ["evt.Meta.sub_type == 'auth_fail'", 'response'],
    ["evt.Meta.username != ''", 'response'],
    ["evt.Parsed.status == '404'", 'response'],
    ["evt.Parsed.impact_completion == 'true'", 'response'],
    ["evt.Parsed[evt.Meta.which] == 'x'", 'response'],
    ["evt.Meta[Lower('HTTP_STATUS')] == '404'", 'response'],
    ["'http_status' in evt.Meta", 'response'],
    ["evt.Line.Raw contains '404'", 'response'],
    ["evt.Line.Labels.type == 'nginx'", 'request'],
    ["let m = evt.Meta; m.http_path == '/'", 'response'],
  ];
  for (const [source, expected] of cases) t.equal(phaseOf([event.compile(source, 'bool')]), expected, source);
  t.equal(cases.length, 16);
});

t.test('one expression of several is enough', async (t) => {
  const request = event.compile("evt.Meta.http_path == '/'", 'bool');
  const response = event.compile('evt.Meta.http_status', 'any');
  t.equal(phaseOf([request, request]), 'request');
  t.equal(phaseOf([request, response]), 'response');
  t.equal(phaseOf([]), 'request');
});
