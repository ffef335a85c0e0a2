import t from 'tap';
import { copyEvent } from '../../../detectors/hubtest/copy-event.ts';
import { fields, makeEvent } from '../expr/support.ts';

t.test('nothing that happens to the event afterwards is seen in the copy', async (t) => {
  const tree = { list: [1, { deep: 'x' }], pairs: fields({ a: 'b' }) };
  const event = makeEvent({ Unmarshaled: { tree } });
  const before = JSON.stringify(event);
  const copy = copyEvent(event);
  t.equal(JSON.stringify(copy), before);
  event.Meta.service = 'changed';
  event.Parsed.verb = 'changed';
  event.Enriched.IsoCode = 'changed';
  event.Line.Labels.type = 'changed';
  event.Line.Raw = 'changed';
  event.Whitelisted = true;
  tree.list.push(2);
  Object.assign(tree.list[1] as object, { deep: 'changed' });
  tree.pairs.a = 'changed';
  t.equal(JSON.stringify(copy), before);
});

t.test('maps of texts stay maps of texts, and odd keys are only keys', async (t) => {
  const unmarshaled = JSON.parse('{"__proto__": {"polluted": "yes"}, "constructor": 1}') as Record<string, unknown>;
  const event = makeEvent({ Unmarshaled: { ...unmarshaled, pairs: fields({ a: 'b' }) } });
  Object.defineProperty(event.Unmarshaled, '__proto__', { value: { polluted: 'yes' }, enumerable: true });
  const copy = copyEvent(event);
  t.equal(Object.getPrototypeOf(copy.Meta), Object.getPrototypeOf(fields({})));
  t.equal(Object.getPrototypeOf(copy.Unmarshaled.pairs), Object.getPrototypeOf(fields({})));
  t.equal(Object.getPrototypeOf(copy.Unmarshaled), Object.prototype);
  t.equal((copy.Unmarshaled as { polluted?: string }).polluted, undefined);
  t.ok(Object.hasOwn(copy.Unmarshaled, '__proto__'));
});
