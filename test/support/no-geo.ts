/** No MaxMind databases: every lookup finds nothing. */
import type { GeoDatabases } from '../../detectors/lookups/geoip.ts';

export const noGeo: GeoDatabases = {
  loaded: { city: false, asn: false },
  country: () => '',
  city: () => null,
  asn: () => null,
  cityRecord: () => null,
  asnRecord: () => null,
  refresh: () => Promise.resolve([]),
  close: () => undefined,
};
