/** One attacker of an alert or overflow: CrowdSec's `models.Source`. */
import type { Source } from '../../event.ts';
import { floatType, stringType, type StructType, type Type } from '../types.ts';

export const sourceType: StructType = {
  kind: 'struct',
  name: 'models.Source',
  byValue: true,
  methods: {
    GetScope: { parameters: [], returns: stringType, call: (self: Source) => self.Scope, reads: () => ['Scope'] },
    GetValue: { parameters: [], returns: stringType, call: (self: Source) => self.Value, reads: () => ['Value'] },
    GetAsNumberName: {
      parameters: [],
      returns: stringType,
      call: (self: Source) => [self.AsNumber, self.AsName].filter((part) => part !== '').join(' '),
      reads: () => ['AsNumber', 'AsName'],
    },
    String: { parameters: [], returns: stringType, call: (self: Source) => sourceText(self) },
  },
  fields: () => sourceFields,
};

const sourceFields: Readonly<Record<string, Type>> = {
  AsName: stringType,
  AsNumber: stringType,
  Cn: stringType,
  IP: stringType,
  Latitude: floatType,
  Longitude: floatType,
  Range: stringType,
  Scope: stringType,
  Value: stringType,
};

/** `Ip 192.0.2.1 (FR/AS1234)`, as CrowdSec's messages name an attacker. */
function sourceText(source: Source): string {
  const place = [source.Cn, source.AsNumber].filter((part) => part !== '').join('/');
  return place === '' ? `${source.Scope} ${source.Value}` : `${source.Scope} ${source.Value} (${place})`;
}
