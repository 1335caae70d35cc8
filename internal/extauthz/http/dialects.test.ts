import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Dialect, requestOf } from './dialect.ts';
import { ENVOY } from './envoy-dialect.ts';
import type { HttpMessage, Line } from './http-message.ts';
import { NGINX } from './nginx-dialect.ts';
import { TRAEFIK } from './traefik-dialect.ts';

const TRAEFIKS: readonly Line[] = [
  ['x-forwarded-method', 'POST'],
  ['x-forwarded-uri', '/v1/orders?a=%41'],
  ['x-forwarded-host', 'api.example.org:8443'],
  ['x-forwarded-proto', 'https'],
  ['x-forwarded-for', '198.51.100.7, 192.0.2.1'],
];
const NGINXS: readonly Line[] = [
  ['x-original-method', 'POST'],
  ['x-original-uri', '/v1/orders?a=%41'],
  ['x-original-host', 'api.example.org:8443'],
  ['x-forwarded-proto', 'https'],
  ['x-real-ip', '192.0.2.1'],
];

const ask = (dialect: Dialect, lines: readonly Line[], message: Partial<HttpMessage> = {}) =>
  requestOf(dialect, { method: 'GET', target: dialect.path, lines, body: undefined, timeMs: 5, ...message });
const without = (lines: readonly Line[], name: string): readonly Line[] => lines.filter(([key]) => key !== name);

for (const [dialect, own, kept] of [
  [TRAEFIK, TRAEFIKS, ['x-forwarded-for']],
  [NGINX, NGINXS, []],
] as const) {
  describe(`the dialect of ${dialect.path}`, () => {
    it('reads the request that its own headers tell of, and keeps them from policies', () => {
      const others = dialect === NGINX ? TRAEFIKS : NGINXS;
      const { method, target, host, scheme, source, headers, cameByTls, size, unread, timeMs } = ask(dialect, [
        ['host', 'postern'],
        ['connection', 'close'],
        ['accept', '*/*'],
        ...own,
        ...others.filter(([name]) => name !== 'x-forwarded-proto'),
      ]);
      assert.deepEqual(
        { method, target, host, scheme, address: source.address, cameByTls, size, unread, timeMs },
        {
          method: 'POST',
          target: '/v1/orders?a=%41',
          host: 'api.example.org:8443',
          scheme: 'https',
          address: '192.0.2.1',
          cameByTls: true,
          size: -1,
          unread: undefined,
          timeMs: 5,
        },
      );
      const foreign = others.map(([name]) => name).filter((name) => name !== 'x-forwarded-proto');
      assert.deepEqual([...headers.names()].sort(), ['accept', ...new Set([...kept, ...foreign])].sort());
    });

    for (const [name] of own) {
      it(`says what to write where ${name} is missing, empty or repeated`, () => {
        const [, value = ''] = own.find(([key]) => key === name) ?? [];
        assert.match(ask(dialect, without(own, name)).unread ?? '', new RegExp(`^${name} is missing: `));
        assert.match(
          ask(dialect, [...without(own, name), [name, '']]).unread ?? '',
          new RegExp(`^${name} is missing: `),
        );
        assert.match(ask(dialect, [...own, [name, value]]).unread ?? '', new RegExp(`^${name} came 2 times: `));
      });
    }

    it('takes no other scheme for one that it knows', () => {
      for (const scheme of ['HTTPS', 'https, http', 'ftp', 'constructor', '__proto__']) {
        const { unread, cameByTls } = ask(dialect, [
          ...without(own, 'x-forwarded-proto'),
          ['x-forwarded-proto', scheme],
        ]);
        assert.match(unread ?? '', /^x-forwarded-proto is n/, scheme);
        assert.equal(cameByTls, false);
      }
    });

    it('takes no body, whatever the client marks', () => {
      const marked: readonly Line[] = [...own, ['x-envoy-auth-partial-body', 'false'], ['content-length', '2']];
      const { body, size, headers } = ask(dialect, marked, { body: Buffer.from('{}') });
      assert.deepEqual([body, size, headers.get('content-length')], [undefined, -1, undefined]);
    });

    it('knows no address where none is told', () => {
      const [name = ''] = own.at(-1) ?? [];
      assert.equal(ask(dialect, [...without(own, name), [name, 'unix:']]).source.address, '');
    });
  });
}

describe('the dialect of /check/envoy', () => {
  it('reads the request itself', () => {
    const lines: readonly Line[] = [
      ['host', 'api.example.org'],
      ['content-length', '0'],
      ['x-test', 'a'],
      ['x-envoy-internal', 'true'],
      ['x-envoy-expected-rq-timeout-ms', '200'],
      ...TRAEFIKS,
      ...NGINXS,
    ];
    const { method, target, host, source, headers, cameByTls, unread } = ask(ENVOY, lines, {
      method: 'DELETE',
      target: '/check/envoy/v1/a%2fb?x=/check/envoy',
    });
    assert.deepEqual(
      { method, target, host, address: source.address, cameByTls, unread },
      {
        method: 'DELETE',
        target: '/v1/a%2fb?x=/check/envoy',
        host: 'api.example.org',
        address: '',
        cameByTls: false,
        unread: undefined,
      },
    );
    assert.deepEqual(headers.get('x-forwarded-uri'), ['/v1/orders?a=%41']);
    assert.deepEqual(
      [headers.get('x-test'), headers.get('content-length'), headers.get('x-envoy-internal'), headers.isJoined],
      [['a'], undefined, undefined, true],
    );
  });

  it('knows no host where there are two, or none', () => {
    assert.equal(ask(ENVOY, []).host, '');
    const two: readonly Line[] = [
      ['host', 'a'],
      ['host', 'b'],
    ];
    assert.equal(ask(ENVOY, two).host, 'a,b');
  });

  it('refuses where content-type arrives, for then Envoy lets gRPC pass when it cannot ask', () => {
    assert.match(ask(ENVOY, [['content-type', 'application/json']]).unread ?? '', /disallowed_headers/);
  });

  it('knows the length of a body that is forwarded, and of one that may have stayed behind that it is not known', () => {
    const sizeOf = (method: string, lines: readonly Line[] = [], body?: Buffer): number =>
      ask(ENVOY, lines, { method, body }).size;
    assert.deepEqual([sizeOf('GET'), sizeOf('HEAD'), sizeOf('POST'), sizeOf('DELETE')], [0, 0, -1, -1]);
    assert.equal(sizeOf('POST', [['x-envoy-auth-partial-body', 'false']], Buffer.from('12345')), 5);
    assert.equal(sizeOf('GET', [], Buffer.from('12345')), 5);
  });

  it('waits as long as Envoy says it does', () => {
    const timeoutOf = (...values: string[]) =>
      ENVOY.timeoutMs({ lines: values.map((value) => ['x-envoy-expected-rq-timeout-ms', value] as const) });
    assert.deepEqual([timeoutOf('200'), timeoutOf(), timeoutOf('0')], [200, undefined, undefined]);
    assert.deepEqual(
      [timeoutOf('1', '2'), timeoutOf('-1'), timeoutOf('1e3'), timeoutOf('999999999')],
      [undefined, undefined, undefined, undefined],
    );
  });
});

describe('fields that a door is not told of', () => {
  const own = { [ENVOY.path]: [], [NGINX.path]: NGINXS, [TRAEFIK.path]: TRAEFIKS };
  const untold = (dialect: Dialect, names: readonly string[]): readonly string[] => {
    const { headers } = ask(dialect, own[dialect.path] ?? [], { method: 'POST' });
    return names.filter((name) => headers.untold.has(name) && headers.get(name) === undefined);
  };

  it('are those of the message itself, in every dialect; the Host is told otherwise', () => {
    const message = ['connection', 'content-length', 'expect', 'keep-alive', 'proxy-connection', 'transfer-encoding'];
    for (const dialect of [ENVOY, NGINX, TRAEFIK])
      assert.deepEqual(untold(dialect, [...message, 'host', 'x-role']), message, dialect.path);
  });

  it('are those by which a dialect tells of the request, and those that its proxy keeps back', () => {
    const names = ['content-type', 'te', 'upgrade', 'x-envoy-internal', 'x-forwarded-proto', 'x-real-ip'];
    assert.deepEqual(untold(ENVOY, names), ['content-type', 'x-envoy-internal']);
    assert.deepEqual(untold(NGINX, names), ['te', 'upgrade', 'x-forwarded-proto', 'x-real-ip']);
    assert.deepEqual(untold(TRAEFIK, names), ['te', 'upgrade', 'x-forwarded-proto']);
  });
});
