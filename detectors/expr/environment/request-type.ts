/** `req`: the members and methods of Go's `http.Request` that expressions use. Header names are canonical (`User-Agent`). */
import {
  arrayOf,
  boolType,
  intType,
  type MapType,
  type Method,
  stringArray,
  stringType,
  type StructType,
  type Type,
} from '../types.ts';

interface Request {
  readonly Header?: Headers;
}

type Headers = Readonly<Record<string, readonly string[] | undefined>>;

function header(headers: Headers | undefined, name: string): readonly string[] {
  const canonical = name.toLowerCase().replaceAll(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());
  return headers && Object.hasOwn(headers, canonical) ? (headers[canonical] ?? []) : [];
}

const valuesMethods: Readonly<Record<string, Method>> = {
  Get: {
    parameters: [stringType],
    returns: stringType,
    call: (self: Headers, name: string) => header(self, name)[0] ?? '',
  },
  Values: { parameters: [stringType], returns: stringArray, call: (self: Headers, name: string) => header(self, name) },
};

const headerType: MapType = { kind: 'map', value: stringArray, methods: valuesMethods };

const urlType: StructType = {
  kind: 'struct',
  name: 'url.URL',
  byValue: true,
  methods: {},
  fields: () => urlFields,
};

const urlFields: Readonly<Record<string, Type>> = {
  Scheme: stringType,
  Host: stringType,
  Path: stringType,
  RawPath: stringType,
  RawQuery: stringType,
  Fragment: stringType,
};

export const requestType: StructType = {
  kind: 'struct',
  name: 'http.Request',
  byValue: false,
  methods: {
    UserAgent: {
      parameters: [],
      returns: stringType,
      call: (self: Request) => header(self.Header, 'User-Agent')[0] ?? '',
      reads: () => ['Header.User-Agent'],
    },
    Referer: {
      parameters: [],
      returns: stringType,
      call: (self: Request) => header(self.Header, 'Referer')[0] ?? '',
      reads: () => ['Header.Referer'],
    },
  },
  fields: () => requestFields,
};

const requestFields: Readonly<Record<string, Type>> = {
  Method: stringType,
  URL: urlType,
  Proto: stringType,
  ProtoMajor: intType,
  ProtoMinor: intType,
  Header: headerType,
  Host: stringType,
  RemoteAddr: stringType,
  RequestURI: stringType,
  ContentLength: intType,
  TransferEncoding: arrayOf(stringType),
  Close: boolType,
};
