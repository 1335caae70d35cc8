import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { describe, it } from 'node:test';
import { TrustedPeers } from './trusted-peers.ts';

function aList(): BlockList {
  const list = new BlockList();
  list.addSubnet('127.0.0.0', 8, 'ipv4');
  list.addAddress('::1', 'ipv6');
  list.addSubnet('2001:db8::', 32, 'ipv6');
  return list;
}

function peers(isUnixSocket = false) {
  const told: (readonly [string, number])[] = [];
  const clock = { nowMs: 0, monotonicMs: (): number => clock.nowMs };
  const onRefused = (address: string, meanwhile: number): void => void told.push([address, meanwhile]);
  return { clock, told, trusted: new TrustedPeers({ networks: aList(), isUnixSocket, clock, onRefused }) };
}

describe('TrustedPeers', () => {
  it('knows a peer by its address alone, v4-mapped or not', () => {
    const { trusted } = peers();
    for (const address of ['127.0.0.1', '127.9.9.9', '::ffff:127.0.0.1', '::1', '2001:db8::7'])
      assert.equal(trusted.holds(address), true, address);
    for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '::2', 'fe80::1%eth0', '', '::ffff:7f00:1%lo'])
      assert.equal(trusted.holds(address), false, address);
  });

  it('trusts whoever may open a unix socket', () => {
    assert.equal(peers(true).trusted.holds(undefined), true);
  });

  it('trusts no connection without an address on a port', () => {
    assert.equal(peers().trusted.holds(undefined), false);
  });

  it('tells once of each peer, and of many not more than one a second', () => {
    const { trusted, told, clock } = peers();
    for (let i = 0; i < 5; i += 1) trusted.holds('192.0.2.1');
    trusted.holds('192.0.2.2');
    clock.nowMs = 1000;
    trusted.holds('192.0.2.1');
    trusted.holds('192.0.2.3');
    assert.deepEqual(told, [
      ['192.0.2.1', 0],
      ['192.0.2.3', 6],
    ]);
  });
});
