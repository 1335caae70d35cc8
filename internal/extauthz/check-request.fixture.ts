// CheckRequests as the tests of this folder make them up, and what they say: read by us, and by the official loader.
import fc from 'fast-check';
import { PosternError } from '../core/error.ts';
import type { CheckRequest } from './wire.ts';

export const isWireError = (error: unknown): boolean =>
  error instanceof PosternError && error.code === 'ERR_POSTERN_WIRE';

/** Everything a request says, as plain data. */
export function said(request: CheckRequest): object {
  const peer = ({ address, principal, certificate }: CheckRequest['source']) => ({ address, principal, certificate });
  return {
    hasHttp: request.hasHttp,
    id: request.id,
    method: request.method,
    scheme: request.scheme,
    host: request.host,
    target: request.target,
    protocol: request.protocol,
    timeMs: request.timeMs,
    size: request.size,
    body: request.body === undefined ? '' : Buffer.from(request.body).toString('hex'),
    headers: sorted(request.headers.names().map((name) => [name, request.headers.get(name)])),
    isJoined: request.headers.isJoined,
    source: peer(request.source),
    contextExtensions: sorted([...request.contextExtensions]),
    metadata: plain(request.metadata()),
    routeMetadata: plain(request.routeMetadata() ?? null),
    sni: request.tlsSession?.sni ?? null,
  };
}

const sorted = (pairs: (readonly [string, unknown])[]): (readonly [string, unknown])[] =>
  pairs.toSorted(([a], [b]) => (a < b ? -1 : 1));

/** Objects with and without a prototype compared alike. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return sorted(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

/** The one thing that is not taken as it stands. */
const trimmed = (value: string): string => value.replace(/^[ \t]+|[ \t]+$/g, '');

export type Json = Record<string, unknown>;
export const json = (value: unknown): Json => (value ?? {}) as Json;

/** The same, of what the official loader decodes. */
export function expected(message: Json): object {
  const attributes = json(message.attributes);
  const request = json(attributes.request);
  const http = json(request.http);
  const time = json(request.time);
  const lines = json(http.header_map).headers as { key: string; value: string; raw_value: Buffer }[] | undefined;
  const headers = new Map<string, string[]>();
  for (const [name, value] of Object.entries(json(http.headers))) headers.set(name, [trimmed(String(value))]);
  for (const { key, value, raw_value } of lines ?? []) {
    const text = raw_value.length > 0 ? raw_value.toString('utf8') : value;
    headers.set(key, [...(headers.get(key) ?? []), trimmed(text)]);
  }
  const raw = http.raw_body as Buffer | undefined;
  const hasMap = http.header_map !== null && http.header_map !== undefined;
  return {
    hasHttp: request.http !== null && request.http !== undefined,
    id: http.id ?? '',
    method: http.method ?? '',
    scheme: http.scheme ?? '',
    host: http.host ?? '',
    target: http.path ?? '',
    protocol: http.protocol ?? '',
    timeMs: Number(time.seconds ?? 0) * 1000 + Number(time.nanos ?? 0) / 1e6,
    size: Number(http.size ?? 0),
    body: (raw !== undefined && raw.length > 0 ? raw : Buffer.from(String(http.body ?? ''))).toString('hex'),
    headers: sorted([...headers]),
    isJoined: Object.keys(json(http.headers)).length > 0 || !hasMap,
    source: expectedPeer(json(attributes.source)),
    contextExtensions: sorted(Object.entries(json(attributes.context_extensions))),
    metadata: expectedMetadata(attributes.metadata_context) ?? [],
    routeMetadata: expectedMetadata(attributes.route_metadata_context) ?? null,
    sni: attributes.tls_session ? json(attributes.tls_session).sni : null,
  };
}

function expectedPeer(peer: Json): object {
  const address = json(peer.address);
  const socket = json(address.socket_address).address;
  return {
    address: socket ?? json(address.pipe).path ?? '',
    principal: peer.principal ?? '',
    certificate: peer.certificate ?? '',
  };
}

function expectedMetadata(metadata: unknown): unknown {
  if (metadata === null || metadata === undefined) return undefined;
  const filters = Object.entries(json(json(metadata).filter_metadata));
  return sorted(filters.map(([name, struct]) => [name, structPlain(struct)]));
}

function structPlain(struct: unknown): unknown {
  return sorted(Object.entries(json(json(struct).fields)).map(([name, value]) => [name, valuePlain(value)]));
}

function valuePlain(value: unknown): unknown {
  const { kind, ...members } = json(value);
  if (kind === 'structValue') return structPlain(members.structValue);
  if (kind === 'listValue') return (json(members.listValue).values as unknown[]).map(valuePlain);
  return kind === undefined || kind === 'nullValue' ? null : members[String(kind)];
}

const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 40 }));
const name = fc.stringMatching(/^[a-z0-9:_.-]{1,40}$/);
const texts = fc.dictionary(name, text, { maxKeys: 8 });
const optional = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { requiredKeys: [] });

const { value: structValue } = fc.letrec<{ value: object; fields: object }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.record({ stringValue: text }),
    fc.record({ numberValue: fc.double({ noNaN: true }) }),
    fc.record({ boolValue: fc.boolean() }),
    fc.record({ nullValue: fc.constant('NULL_VALUE') }),
    fc.record({ structValue: tie('fields') }),
    fc.record({ listValue: fc.record({ values: fc.array(tie('value'), { maxLength: 4 }) }) }),
  ),
  fields: fc.record({ fields: fc.dictionary(name, tie('value'), { maxKeys: 4 }) }),
}));
const struct = fc.record({ fields: fc.dictionary(name, structValue, { maxKeys: 4 }) });
const metadata = fc.record({ filter_metadata: fc.dictionary(name, struct, { maxKeys: 3 }) });

const peer = optional({
  address: fc.oneof(
    optional({ socket_address: optional({ address: text, port_value: fc.nat(65_535) }) }),
    optional({ pipe: optional({ path: text, mode: fc.nat(0o777) }) }),
  ),
  principal: text,
  certificate: text,
  service: text,
});

const http = fc
  .record({
    scalars: optional({ id: text, method: text, path: text, host: text, scheme: text, protocol: text, query: text }),
    size: fc.option(fc.maxSafeInteger(), { nil: undefined }),
    headers: fc.oneof(
      fc.record({ headers: texts }),
      fc.record({
        header_map: fc.record({
          headers: fc.array(
            fc.oneof(
              fc.record({ key: name, value: text }),
              fc.record({ key: name, raw_value: text.map((value) => Buffer.from(value)) }),
            ),
            { maxLength: 8 },
          ),
        }),
      }),
    ),
    body: fc.oneof(
      fc.constant({}),
      fc.record({ body: text }),
      fc.record({ raw_body: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) }),
    ),
  })
  .map(({ scalars, size, headers, body }) => ({
    ...scalars,
    ...headers,
    ...body,
    ...(size !== undefined && { size }),
  }));

const attributes = optional({
  source: peer,
  request: optional({
    time: optional({ seconds: fc.nat(), nanos: fc.nat(999_999_999) }),
    http,
  }),
  context_extensions: texts,
  metadata_context: metadata,
  route_metadata_context: metadata,
  tls_session: optional({ sni: text }),
});
export const request = optional({ attributes });

/** A field that no message has: number 40 and up, of each wire type. */
export const unknownField = fc
  .tuple(fc.integer({ min: 40, max: 5000 }), fc.constantFrom(0, 1, 2, 5), fc.uint8Array({ minLength: 8, maxLength: 8 }))
  .map(([number, wireType, bytes]) => {
    const tag = (number << 3) | wireType;
    const head =
      tag < 0x4000 ? [(tag & 0x7f) | 0x80, tag >> 7] : [(tag & 0x7f) | 0x80, ((tag >> 7) & 0x7f) | 0x80, tag >> 14];
    if (wireType === 0) return Buffer.from([...head, 0x96, 0x01]);
    if (wireType === 2) return Buffer.from([...head, 8, ...bytes]);
    return Buffer.from([...head, ...bytes.subarray(0, wireType === 1 ? 8 : 4)]);
  });

/** CheckRequest.attributes with the bytes of an AttributeContext. */
export const embedded = (field: number, bytes: Uint8Array): Buffer => {
  const length: number[] = [];
  for (let left = bytes.length; left > 0 || length.length === 0; left >>= 7)
    length.push(left < 0x80 ? left : (left & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...length]), bytes]);
};
