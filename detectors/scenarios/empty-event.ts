/** What expressions see between pours: an event of nothing. */
import { type Event, eventType, FieldMap } from '../event.ts';

/** Stands in the scope between pours, so that no request is kept alive by it. */
export const emptyEvent: Event = Object.freeze({
  Type: eventType.log,
  ExpectMode: 0,
  Whitelisted: false,
  WhitelistReason: '',
  Stage: '',
  Line: { Raw: '', Src: '', Time: 0, Labels: {}, Process: false, Module: '' },
  Parsed: Object.freeze(new FieldMap()),
  Enriched: Object.freeze(new FieldMap()),
  Meta: Object.freeze(new FieldMap()),
  Unmarshaled: {},
  Overflow: null,
  Time: 0,
  StrTime: '',
  StrTimeFormat: '',
  MarshaledTime: '',
  Process: false,
});
