/**
 * What hooks see besides the helpers of every expression: `req`, the request as Go's `net/http` presents it, and what
 * `DumpRequest()` gives. Specification: CrowdSec `pkg/appsec/waf_helpers.go`, `request.go`; Go `net/http`, `net/url`.
 */
import { requestType } from '../../expr/environment/request-type.ts';
import {
  anyType,
  boolType,
  type MapType,
  type Method,
  stringArray,
  stringMap,
  stringType,
  type StructType,
} from '../../expr/types.ts';
import { eventEnvironment, type Environment } from '../../expr/environment.ts';
import type { HookStage } from './config-document.ts';
import type { RequestDump } from './request-dump.ts';
import type { CookieView, QueryView, RequestView, UrlView } from './request-view.ts';

const queryType: MapType = {
  kind: 'map',
  value: stringArray,
  methods: {
    Get: {
      parameters: [stringType],
      returns: stringType,
      call: (self: QueryView, name: string) => (Object.hasOwn(self, name) ? (self[name]?.[0] ?? '') : ''),
    },
    Has: {
      parameters: [stringType],
      returns: boolType,
      call: (self: QueryView, name: string) => Object.hasOwn(self, name),
    },
  },
};

const urlType: StructType = {
  kind: 'struct',
  name: 'url.URL',
  byValue: false,
  methods: {
    Query: { parameters: [], returns: queryType, call: (self: UrlView) => self.query() },
    String: { parameters: [], returns: stringType, call: (self: UrlView) => self.text },
    RequestURI: { parameters: [], returns: stringType, call: (self: UrlView) => self.text },
  },
  fields: () => ({
    Scheme: stringType,
    Host: stringType,
    Path: stringType,
    RawPath: stringType,
    RawQuery: stringType,
    Fragment: stringType,
  }),
};

const cookieType: StructType = {
  kind: 'struct',
  name: 'http.Cookie',
  byValue: false,
  methods: {},
  fields: () => ({ Name: stringType, Value: stringType }),
};

const hookRequestType: StructType = {
  ...requestType,
  methods: {
    ...requestType.methods,
    Cookies: {
      parameters: [],
      returns: { kind: 'array', element: cookieType },
      call: (self: RequestView): readonly CookieView[] => self.cookies(),
    },
    CookiesNamed: {
      parameters: [stringType],
      returns: { kind: 'array', element: cookieType },
      call: (self: RequestView, name: string) => self.cookies().filter(({ Name }) => Name === name),
    },
    ProtoAtLeast: {
      parameters: [{ kind: 'int' }, { kind: 'int' }],
      returns: boolType,
      call: (self: RequestView, major: bigint, minor: bigint) =>
        self.ProtoMajor > major || (self.ProtoMajor === major && self.ProtoMinor >= minor),
    },
  },
  fields: () => ({ ...requestType.fields(), URL: urlType }),
};

const filters = {
  NoFilters: 0,
  WithEmptyHeadersFilters: 0,
  WithNoHeadersFilters: 0,
  WithHeadersDrop: 0,
  WithHeadersContentFilter: 1,
  WithHeadersNameFilter: 1,
  WithEmptyArgsFilters: 0,
  WithNoArgsFilters: 0,
  WithArgsDrop: 0,
  WithArgsContentFilter: 1,
  WithArgsNameFilter: 1,
  WithNoBodyFilter: 0,
  WithBodyDrop: 0,
} as const;

export type DumpFilter = keyof typeof filters;

/** What `DumpRequest()` gives: filters that give it again, and `ToJSON()`, which writes it. */
export const dumpType: StructType = {
  kind: 'struct',
  name: 'appsec.ReqDumpFilter',
  byValue: false,
  get methods(): Readonly<Record<string, Method>> {
    return dumpMethods;
  },
  fields: () => ({}),
};

const dumpMethods: Readonly<Record<string, Method>> = {
  ...Object.fromEntries(
    (Object.keys(filters) as DumpFilter[]).map((name): [string, Method] => [
      name,
      {
        parameters: filters[name] === 0 ? [] : [stringType],
        returns: dumpType,
        call: (self: RequestDump, pattern = '') => self.filtered(name, pattern),
      },
    ]),
  ),
  ToJSON: { parameters: [], returns: anyType, call: (self: RequestDump) => self.write() },
};

const bands = { IsInBand: boolType, IsOutBand: boolType };
const shared = { ...bands, req: hookRequestType, hook_vars: stringMap };

/** The names that the hooks of a stage may use. */
export const hookEnvironments: Readonly<Record<HookStage, Environment>> = {
  on_load: { names: {} },
  pre_eval: { names: shared },
  post_eval: { names: shared },
  on_match: { names: { ...shared, evt: eventEnvironment.names.evt ?? anyType } },
};
