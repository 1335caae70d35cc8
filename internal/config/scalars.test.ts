import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { addressText } from '../core/listen-address.ts';
import { cidrList } from './cidr-list.ts';
import { clientAddressSource } from './client-address-flag.ts';
import { debugAddress, listenAddress } from './listen-address.ts';
import type { Parsed } from './option.ts';
import { bytes, count, durationMs, issuerUrl, labelNames, labelSelector } from './scalars.ts';

const refusals = (parse: (text: string) => Parsed<unknown>, texts: readonly string[]): string[] =>
  texts.filter((text) => parse(text).ok);

describe('listenAddress()', () => {
  for (const [text, expected] of [
    [':9191', { kind: 'tcp', host: '', port: 9191 }],
    ['127.0.0.1:0', { kind: 'tcp', host: '127.0.0.1', port: 0 }],
    ['[::1]:9191', { kind: 'tcp', host: '::1', port: 9191 }],
    ['[2001:DB8:0::1]:9191', { kind: 'tcp', host: '2001:db8::1', port: 9191 }],
    ['agent.example.org:443', { kind: 'tcp', host: 'agent.example.org', port: 443 }],
    ['unix:/run/postern/grpc.sock', { kind: 'unix', path: '/run/postern/grpc.sock' }],
  ] as const) {
    it(`reads ${text}`, () => assert.deepEqual(listenAddress(text), { ok: true, value: expected }));
  }

  it('refuses what is none', () => {
    const texts = [
      '',
      '9191',
      ':',
      ':99999',
      '1.2.3:80',
      '127.1:80',
      '010.0.0.1:80',
      '::1:80',
      '[::1]',
      'unix:x',
      'a b:1',
    ];
    const more = [
      '[fe80::1%eth0]:80',
      '[192.0.2.1]:80',
      `unix:/${'x'.repeat(120)}`,
      'unix:/a\0b',
      ':+1',
      ': 80',
      ':0x50',
    ];
    assert.deepEqual(refusals(listenAddress, [...texts, ...more]), []);
  });

  it('is what addressText() writes', () => {
    const text = fc.oneof(
      fc.tuple(fc.ipV4(), fc.nat(65_535)).map(([host, port]) => `${host}:${port}`),
      fc.nat(65_535).map((port) => `:${port}`),
    );
    fc.assert(
      fc.property(text, (address) => {
        const result = listenAddress(address);
        assert.equal(result.ok && addressText(result.value), address);
      }),
    );
  });
});

describe('debugAddress()', () => {
  it('takes loopback addresses, unix sockets and off', () => {
    const texts = ['127.0.0.1:9194', '127.9.9.9:1', '[::1]:9194', 'unix:/run/debug.sock', 'off'];
    assert.deepEqual(
      texts.filter((text) => !debugAddress(text).ok),
      [],
    );
  });

  it('refuses every address that others can reach, names among them', () => {
    const texts = [
      ':9194',
      '0.0.0.0:9194',
      '[::]:9194',
      '192.0.2.1:9194',
      'localhost:9194',
      '127.0.0.1.example.org:9194',
    ];
    assert.deepEqual(refusals(debugAddress, [...texts, '[::ffff:192.0.2.1]:9194']), []);
  });
});

describe('clientAddressSource()', () => {
  for (const [text, expected] of [
    ['direct', { kind: 'direct' }],
    ['forwarded-for:hops=2', { kind: 'hops', hops: 2 }],
    ['header:X-Envoy-External-Address', { kind: 'header', name: 'x-envoy-external-address' }],
  ] as const) {
    it(`reads ${text}`, () => assert.deepEqual(clientAddressSource(text), { ok: true, value: expected }));
  }

  it('trusts the networks it is given', () => {
    const result = clientAddressSource('forwarded-for:cidrs=192.0.2.0/24,2001:db8::/32');
    const source = result.ok ? result.value : undefined;
    assert.equal(source?.kind, 'cidrs');
    assert.equal(source.trusted.check('192.0.2.9'), true);
    assert.equal(source.trusted.check('2001:db8::9', 'ipv6'), true);
    assert.equal(source.trusted.check('198.51.100.9'), false);
  });

  it('refuses to trust any client, or a header that clients begin', () => {
    const texts = ['forwarded-for:cidrs=0.0.0.0/0', 'forwarded-for:cidrs=192.0.2.0/24,::/0', 'header:x-forwarded-for'];
    const more = [
      'header:X-Forwarded-For',
      'header:forwarded',
      'header:',
      'header:a b',
      'forwarded-for',
      'forwarded-for:',
    ];
    const hops = ['forwarded-for:hops=0', 'forwarded-for:hops=-1', 'forwarded-for:hops=99', 'forwarded-for:hops=1.5'];
    assert.deepEqual(refusals(clientAddressSource, [...texts, ...more, ...hops, 'Direct']), []);
  });
});

describe('cidrList()', () => {
  it('refuses what a list of networks cannot hold', () => {
    const texts = ['', '10.0.0.0/33', '10.0.0.1/8', '10.0.0/8', '10.0.0.0/08', '10.0.0.0/8/8', '::ffff:10.0.0.0/104'];
    assert.deepEqual(
      refusals(cidrList, [...texts, '2001:db8::1/32', '2001:db8::/129', 'example.org', '10.0.0.0/', '0x0a.0.0.0/8']),
      [],
    );
  });

  it('holds exactly the addresses of its network', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.integer({ min: 1, max: 32 }), fc.nat(0xffffffff), (base, prefix, other) => {
        const mask = prefix === 32 ? 0xffffffff : ~(0xffffffff >>> prefix) >>> 0;
        const result = cidrList(`${dotted((base & mask) >>> 0)}/${prefix}`);
        assert.equal(result.ok && result.value.list.check(dotted(other)), (other & mask) >>> 0 === (base & mask) >>> 0);
      }),
    );
  });
});

const dotted = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');

describe('the other parsers', () => {
  it('durationMs() reads GEP-2257 durations within bounds', () => {
    const parse = durationMs('1ms', '1h');
    assert.deepEqual(parse('1s500ms'), { ok: true, value: 1500 });
    assert.deepEqual(refusals(parse, ['', '150', '0ms', '2h', '1d', '-1s', '1.5s', '1 s']), []);
  });

  it('durationMs() says how days are written', () => {
    assert.deepEqual(durationMs('1s', '48h')('1d'), {
      ok: false,
      problem: 'is not a duration: write days as hours, "24h"',
    });
  });

  it('bytes() reads quantities', () => {
    const parse = bytes(1, 1024 ** 3);
    assert.deepEqual(
      ['4Mi', '64Ki', '1k', '17'].map((text) => parse(text)),
      [4_194_304, 65_536, 1000, 17].map((value) => ({ ok: true, value })),
    );
    assert.deepEqual(refusals(parse, ['', '4MB', '4m', '-1', '1.5Mi', '0', '2Gi', '1e3', '4 Mi']), []);
  });

  it('count() reads plain digits only', () => {
    assert.deepEqual(count(1, 1000)('1000'), { ok: true, value: 1000 });
    assert.deepEqual(refusals(count(1, 1000), ['', '1001', '0', '1e2', '0x10', '1_0', '+5', '5.0', ' 5']), []);
  });

  it('labelNames() refuses an empty name, which would watch everything', () => {
    assert.deepEqual(labelNames('shop, web,shop'), { ok: true, value: ['shop', 'web'] });
    assert.deepEqual(refusals(labelNames, ['', ',', 'shop,', 'Shop', 'a/b', '*']), []);
  });

  it('labelSelector() reads equality, sets and existence', () => {
    const good = [
      'app=orders',
      'app==orders',
      'app!=x',
      'tier in (web,api)',
      'tier notin (a)',
      'a',
      '!a',
      'x.io/a=b,c=d',
    ];
    assert.deepEqual(
      good.filter((text) => !labelSelector(text).ok),
      [],
    );
    assert.deepEqual(refusals(labelSelector, ['', ',', 'a=b,', 'a=b c', 'a in b', 'a&limit=1', '!a=b', 'a=\nb']), []);
  });

  it('issuerUrl() wants https and nothing that is not an issuer', () => {
    assert.deepEqual(issuerUrl('https://sso.example.org/realms/shop').ok, true);
    const texts = ['http://sso.example.org', 'https://u:p@sso.example.org', 'https://sso.example.org?x=1', 'sso', ''];
    assert.deepEqual(refusals(issuerUrl, [...texts, 'https://sso.example.org#x']), []);
  });
});
