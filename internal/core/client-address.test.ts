import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { describe, it } from 'node:test';
import { type Attributes, headerFields } from './attributes.ts';
import { type ClientAddressSource, clientOf } from './client-address.ts';

const trusted = new BlockList();
trusted.addSubnet('10.0.0.0', 8, 'ipv4');

function address(source: ClientAddressSource, peer: string, ...headers: [string, string][]): string | null {
  const attributes = { headers: headerFields(headers), source: { address: peer, principal: '', certificate: '' } };
  return clientOf(source, attributes as unknown as Attributes).address;
}

describe('clientOf()', () => {
  it('never believes x-forwarded-for unless told how far', () => {
    assert.equal(address({ kind: 'direct' }, '192.0.2.1', ['x-forwarded-for', '198.51.100.1']), '192.0.2.1');
    assert.equal(address({ kind: 'unset' }, '192.0.2.1', ['x-forwarded-for', '198.51.100.1']), '192.0.2.1');
  });

  it('knows no client behind a private peer when it was not told how to find it', () => {
    assert.equal(address({ kind: 'unset' }, '10.0.0.1', ['x-forwarded-for', '198.51.100.1']), null);
    assert.equal(address({ kind: 'unset' }, '::ffff:127.0.0.1'), null);
    assert.equal(address({ kind: 'direct' }, ''), null);
  });

  it('counts hops from the right, over several lines', () => {
    const lines: [string, string][] = [
      ['x-forwarded-for', '6.6.6.6, 198.51.100.9'],
      ['x-forwarded-for', '203.0.113.5'],
    ];
    assert.equal(address({ kind: 'hops', hops: 1 }, '10.0.0.1', ...lines), '203.0.113.5');
    assert.equal(address({ kind: 'hops', hops: 2 }, '10.0.0.1', ...lines), '198.51.100.9');
    assert.equal(address({ kind: 'hops', hops: 9 }, '10.0.0.1', ...lines), null);
    assert.equal(address({ kind: 'hops', hops: 1 }, '10.0.0.1'), null);
  });

  it('walks over trusted networks from the right and stops at the first stranger', () => {
    const line: [string, string] = ['x-forwarded-for', '6.6.6.6, 203.0.113.5, 10.1.1.1'];
    assert.equal(address({ kind: 'cidrs', trusted }, '10.0.0.1', line), '203.0.113.5');
    assert.equal(address({ kind: 'cidrs', trusted }, '192.0.2.1', line), '192.0.2.1');
    assert.equal(
      address({ kind: 'cidrs', trusted }, '10.0.0.1', ['x-forwarded-for', '10.2.2.2, 10.1.1.1']),
      '10.2.2.2',
    );
    assert.equal(address({ kind: 'cidrs', trusted }, '10.0.0.1'), '10.0.0.1');
  });

  it('takes what it cannot read as unknown, never the next best entry', () => {
    for (const bad of [
      'unknown',
      '_hidden',
      '010.1.1.1',
      '',
      '203.0.113.5, ',
      '1.2.3.4:99999999',
      'fe80::1%1',
      '203.0.113.5 evil',
    ]) {
      assert.equal(address({ kind: 'hops', hops: 1 }, '10.0.0.1', ['x-forwarded-for', bad]), null, bad);
    }
  });

  it('is not made unknown by entries that a client puts in front', () => {
    const lists = ['1,'.repeat(65), ','.repeat(100_000), '10.1.1.1,'.repeat(1000), `${'x'.repeat(100_000)},`];
    for (const list of lists) {
      const line: [string, string] = ['x-forwarded-for', `${list}203.0.113.5`];
      const twoHops: [string, string] = ['x-forwarded-for', `${list}203.0.113.5, 10.1.1.1`];
      assert.equal(address({ kind: 'hops', hops: 1 }, '10.0.0.1', line), '203.0.113.5');
      assert.equal(address({ kind: 'hops', hops: 2 }, '10.0.0.1', twoHops), '203.0.113.5');
      assert.equal(address({ kind: 'cidrs', trusted }, '10.0.0.1', line), '203.0.113.5');
      assert.equal(address({ kind: 'cidrs', trusted }, '10.0.0.1', twoHops), '203.0.113.5');
    }
  });

  it('walks over 64 trusted hops and no further', () => {
    const over = (hops: number): string | null =>
      address({ kind: 'cidrs', trusted }, '10.0.0.1', ['x-forwarded-for', `203.0.113.5${',10.1.1.1'.repeat(hops)}`]);
    assert.equal(over(64), '203.0.113.5');
    assert.equal(over(65), null);
  });

  it('reads no entry where a list begins with a comma', () => {
    assert.equal(address({ kind: 'hops', hops: 2 }, '10.0.0.1', ['x-forwarded-for', ',203.0.113.5']), null);
    assert.equal(address({ kind: 'hops', hops: 3 }, '10.0.0.1', ['x-forwarded-for', ',203.0.113.5']), null);
    assert.equal(address({ kind: 'cidrs', trusted }, '10.0.0.1', ['x-forwarded-for', ',10.1.1.1']), null);
    assert.equal(address({ kind: 'cidrs', trusted }, '10.0.0.1', ['x-forwarded-for', '']), null);
  });

  it('reads addresses with ports and in IPv6', () => {
    assert.equal(
      address({ kind: 'hops', hops: 1 }, '10.0.0.1', ['x-forwarded-for', '203.0.113.5:1234']),
      '203.0.113.5',
    );
    assert.equal(
      address({ kind: 'hops', hops: 1 }, '10.0.0.1', ['x-forwarded-for', '[2001:DB8::1]:443']),
      '2001:db8::1',
    );
    assert.equal(
      address({ kind: 'hops', hops: 1 }, '10.0.0.1', ['x-forwarded-for', '::ffff:cb00:7105']),
      '203.0.113.5',
    );
  });

  it('takes a header only when it holds one address once', () => {
    const source: ClientAddressSource = { kind: 'header', name: 'x-real-ip' };
    assert.equal(address(source, '10.0.0.1', ['x-real-ip', '203.0.113.5']), '203.0.113.5');
    assert.equal(address(source, '10.0.0.1', ['x-real-ip', '203.0.113.5'], ['x-real-ip', '203.0.113.6']), null);
    assert.equal(address(source, '10.0.0.1', ['x-real-ip', '203.0.113.5,203.0.113.6']), null);
    assert.equal(address(source, '10.0.0.1'), null);
  });
});
