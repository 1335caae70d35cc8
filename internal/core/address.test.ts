import assert from 'node:assert/strict';
import { it } from 'node:test';
import { canonicalAddress, isPrivateAddress, networkOf } from './address.ts';

it('canonicalAddress() gives one text for one address and refuses what is not one', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::1', '::1'],
    ['fe80::1%eth0', undefined],
    ['010.0.0.1', undefined],
    ['0x7f.1', undefined],
    ['127.1', undefined],
    ['192.0.2.7:80', undefined],
    ['', undefined],
    ['localhost', undefined],
  ];
  for (const [text, expected] of cases) assert.equal(canonicalAddress(text), expected, text);
});

it('networkOf() is what one client is taken to hold', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['192.0.2.7', '192.0.2.7/32'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::192.0.2.1', '2001:db8::/64'],
    ['64:ff9b::c000:201', '192.0.2.1/32'],
    ['64:ff9b::c000:202', '192.0.2.2/32'],
    ['64:ff9b:1::1', '64:ff9b:1::/64'],
    ['::1', '::/64'],
  ];
  for (const [text, expected] of cases) assert.equal(networkOf(canonicalAddress(text) ?? ''), expected, text);
});

it('isPrivateAddress() knows the ranges that no client on the internet has', () => {
  for (const address of [
    '10.1.2.3',
    '127.0.0.1',
    '172.16.0.1',
    '172.31.9.9',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.1.1',
    '::1',
    'fd00::1',
    'fe80::1',
  ]) {
    assert.equal(isPrivateAddress(address), true, address);
  }
  for (const address of ['192.0.2.1', '172.32.0.1', '100.128.0.1', '2001:db8::1', '11.0.0.1'])
    assert.equal(isPrivateAddress(address), false, address);
});
