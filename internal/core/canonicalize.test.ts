import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Attributes, headerFields } from './attributes.ts';
import { canonicalize, type EdgeOptions } from './canonicalize.ts';

const EDGE: EdgeOptions = {
  clientAddress: { kind: 'unset' },
  bodiesForwarded: false,
  transportTls: false,
  trustContextExtensions: false,
};
const NO_PEER = { address: '', principal: '', certificate: '' };

function attributes(given: Partial<Attributes> = {}): Attributes {
  return {
    id: '1',
    method: 'GET',
    scheme: 'http',
    host: 'api.example.org',
    target: '/v1',
    protocol: 'HTTP/1.1',
    headers: headerFields([]),
    timeMs: 0,
    size: 0,
    body: undefined,
    source: NO_PEER,
    contextExtensions: new Map(),
    metadata: () => ({}),
    routeMetadata: () => undefined,
    tlsSession: undefined,
    ...given,
  };
}

const reason = (given: Partial<Attributes>): string | undefined =>
  canonicalize(attributes(given), EDGE).malformed?.reason;

describe('canonicalize()', () => {
  it('splits the target at its first question mark and nowhere else', () => {
    const { request } = canonicalize(attributes({ target: '/admin?x=/public?y' }), EDGE);
    assert.equal(request?.path, '/admin');
    assert.deepEqual([...(request?.query ?? [])], [['x', ['/public?y']]]);
  });

  it('never takes a host from the path', () => {
    assert.equal(reason({ target: '//evil.example.org/admin' }), 'malformed_path');
    assert.equal(reason({ target: 'http://evil.example.org/admin' }), 'malformed_path');
  });

  it('refuses what has no one reading, with the reason of the part', () => {
    assert.equal(reason({ target: '' }), 'malformed_path');
    assert.equal(reason({ target: '*' }), 'malformed_path');
    assert.equal(reason({ target: '/a?b=%zz' }), 'malformed_query');
    assert.equal(reason({ host: 'a,b' }), 'malformed_host');
    assert.equal(reason({ host: '' }), 'malformed_host');
    assert.equal(reason({ method: '' }), 'malformed_request');
    assert.equal(reason({ method: 'GET /' }), 'malformed_request');
  });

  it('refuses a registered method in other letters: upstreams that do not mind the case would evade a deny', () => {
    for (const method of ['delete', 'Delete', 'dELETE', 'propfind', 'Version-Control']) {
      const { malformed } = canonicalize(attributes({ method }), EDGE);
      assert.equal(malformed?.reason, 'malformed_request', method);
      assert.ok(malformed?.detail.startsWith(`The method is ${method.toUpperCase()} in other letters`), method);
    }
    for (const method of ['DELETE', 'PROPFIND', 'FLUSH', 'flush']) assert.equal(reason({ method }), undefined, method);
  });

  it('keeps the host of a request whose path it cannot read', () => {
    assert.equal(
      canonicalize(attributes({ target: '/a//b', host: 'API.example.org:80' }), EDGE).host,
      'api.example.org',
    );
  });

  it('parses cookies once, however many carriers read them', () => {
    const headers = headerFields([['cookie', 'a=1; b=2']]);
    const { request } = canonicalize(attributes({ headers }), EDGE);
    assert.deepEqual([...(request?.cookies ?? [])], Object.entries({ a: '1', b: '2' }));
    assert.equal(request?.cookies, request?.cookies);
    const tooMany = canonicalize(attributes({ headers: headerFields([['cookie', ';'.repeat(58_000)]]) }), EDGE);
    assert.deepEqual([tooMany.request?.cookies, tooMany.malformed], [undefined, undefined]);
  });

  it('believes TLS only from the connection, a trusted extension, a trusted hop or the operator', () => {
    const isTls = (given: Partial<Attributes>, edge: Partial<EdgeOptions> = {}): boolean | undefined =>
      canonicalize(attributes(given), { ...EDGE, ...edge }).request?.isTls;
    const proto = (value: string) => headerFields([['x-forwarded-proto', value]]);
    const extension = new Map([['postern.dev/transport', 'tls']]);
    assert.equal(isTls({ scheme: 'https' }), false);
    assert.equal(isTls({ headers: proto('https') }), false);
    assert.equal(isTls({ contextExtensions: extension }), false);
    assert.equal(isTls({ contextExtensions: extension }, { trustContextExtensions: true }), true);
    assert.equal(isTls({ tlsSession: { sni: 'api.example.org' } }), true);
    assert.equal(isTls({ tlsSession: { sni: '' } }), false, 'Envoy sends an empty session for plain connections');
    const peer = { address: '192.0.2.1', principal: '', certificate: '' };
    assert.equal(isTls({ source: { ...peer, principal: 'spiffe://a/b' } }), true);
    assert.equal(isTls({ source: { ...peer, certificate: 'PEM' } }), true);
    assert.equal(isTls({}, { transportTls: true }), true);
    assert.equal(isTls({ cameByTls: true }), true);
    assert.equal(isTls({ cameByTls: false, headers: proto('https') }), false);
    assert.equal(isTls({ headers: proto('https') }, { clientAddress: { kind: 'hops', hops: 1 } }), true);
    assert.equal(isTls({ headers: proto('http') }, { clientAddress: { kind: 'hops', hops: 1 } }), false);
    assert.equal(isTls({ headers: proto('https,http') }, { clientAddress: { kind: 'hops', hops: 1 } }), false);
    assert.equal(isTls({ headers: proto('https , https') }, { clientAddress: { kind: 'hops', hops: 1 } }), true);
    assert.equal(isTls({ headers: proto('https,') }, { clientAddress: { kind: 'hops', hops: 1 } }), false);
    assert.equal(isTls({ headers: proto('https') }, { clientAddress: { kind: 'direct' } }), false);
  });

  it('tells no body from a body that was not forwarded or was cut', () => {
    const state = (given: Partial<Attributes>, edge: Partial<EdgeOptions> = {}): string | undefined =>
      canonicalize(attributes(given), { ...EDGE, ...edge }).request?.body.state;
    const mark = (...values: string[]) =>
      headerFields(values.map((value) => ['x-envoy-auth-partial-body', value] as const));
    const extension = new Map([['postern.dev/body', 'forwarded']]);
    assert.equal(state({}), 'unknown');
    assert.equal(state({ size: 10 }), 'unknown');
    assert.equal(state({}, { bodiesForwarded: true }), 'none');
    assert.equal(state({ contextExtensions: extension }), 'unknown');
    assert.equal(state({ contextExtensions: extension }, { trustContextExtensions: true }), 'none');
    assert.equal(state({ headers: mark('false'), body: '{}', size: 2 }), 'forwarded');
    assert.equal(state({ headers: mark('false'), body: '{}', size: -1 }), 'forwarded');
    assert.equal(state({ headers: mark('true'), body: '{}', size: 2 }), 'cut');
    assert.equal(state({ headers: mark('false'), body: '{}', size: 3 }), 'cut');
    assert.equal(state({ headers: mark('false', 'false'), body: '{}', size: 2 }), 'cut');
    assert.equal(state({ headers: mark('false') }), 'unknown', "a client's own mark proves nothing");
    assert.equal(state({ headers: mark('false') }, { bodiesForwarded: true }), 'none');
  });

  it('knows of no body that an upgrade has none: Envoy does not forward it', () => {
    const state = (given: Partial<Attributes>): string | undefined =>
      canonicalize(attributes(given), { ...EDGE, bodiesForwarded: true }).request?.body.state;
    const sent = (...headers: [string, string][]) => state({ method: 'POST', headers: headerFields(headers) });
    assert.equal(sent(['upgrade', 'websocket'], ['content-length', '16']), 'unknown');
    assert.equal(sent(['upgrade', 'websocket']), 'unknown');
    assert.equal(state({ method: 'CONNECT', target: '/chat' }), 'unknown');
    assert.equal(sent(['content-length', '16']), 'unknown', 'declared, and not forwarded');
    assert.equal(state({ size: 16 }), 'unknown', 'declared, and not forwarded');
    assert.equal(state({ size: -1 }), 'unknown', 'nobody knows whether there is one');
    assert.equal(sent(['upgrade', 'websocket'], ['x-envoy-auth-partial-body', 'false']), 'unknown');
    assert.equal(sent(['content-length', '0']), 'none');
    assert.equal(sent(), 'none');
  });

  it('knows gRPC callers by their content type', () => {
    const isGrpc = (type: string): boolean | undefined =>
      canonicalize(attributes({ headers: headerFields([['content-type', type]]) }), EDGE).request?.isGrpc;
    for (const type of ['application/grpc', 'application/grpc+proto', 'application/grpc;x'])
      assert.equal(isGrpc(type), true, type);
    for (const type of ['application/grpc-web', 'application/json', '']) assert.equal(isGrpc(type), false, type);
  });
});
