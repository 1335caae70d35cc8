import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type OutboundRules, whyRefused, whyRefusedUrl } from './outbound-rules.ts';

const list = (...subnets: readonly (readonly [string, number])[]): BlockList => {
  const blocks = new BlockList();
  for (const [address, prefix] of subnets) blocks.addSubnet(address, prefix, address.includes(':') ? 'ipv6' : 'ipv4');
  return blocks;
};
const STRICT: OutboundRules = { isRelaxed: false, allowed: list(), forbidden: list() };
const RELAXED: OutboundRules = { ...STRICT, isRelaxed: true };
const ALLOWING: OutboundRules = { ...STRICT, allowed: list(['0.0.0.0', 0], ['::', 0]) };
const isAllowed = (address: string, rules: OutboundRules): boolean => whyRefused(address, rules) === undefined;

const NEVER = [
  '169.254.169.254',
  '169.254.0.1',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '::169.254.169.254',
  '::a9fe:a9fe',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::a9fe:a9fe',
  '64:ff9b::10.0.0.1',
  '2002:a9fe:a9fe::1',
  '2001:0:a9fe:a9fe::1',
  '2a00:1::5efe:169.254.169.254',
  '2a00:1::200:5efe:a9fe:a9fe',
  'fe80::1',
  'febf::1',
  'fd00:ec2::254',
  'fd20:ce::254',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  '0.0.0.0',
  '0.1.2.3',
  '::',
  '224.0.0.1',
  'ff02::1',
  '240.0.0.1',
  '255.255.255.255',
];
const PRIVATE = [
  '127.0.0.1',
  '127.255.255.254',
  '::1',
  '::ffff:127.0.0.1',
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '::ffff:10.1.2.3',
  '100.64.0.1',
  '198.18.0.1',
  '192.0.2.1',
  'fc00::1',
  'fd12:3456::1',
  'fec0::1',
  '2001:db8::1',
  '3fff::1',
  '5f00::1',
];
const PUBLIC = ['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1', '::ffff:8.8.8.8'];

describe('whyRefused()', () => {
  it('never lets link-local, metadata, translated and reserved addresses be reached, whatever is allowed', () => {
    for (const address of NEVER) {
      for (const rules of [STRICT, RELAXED, ALLOWING]) assert.equal(isAllowed(address, rules), false, address);
    }
  });

  it('lets private addresses be reached when relaxed or allowed, public ones always', () => {
    for (const address of PRIVATE) {
      assert.deepEqual(
        [STRICT, RELAXED, ALLOWING].map((rules) => isAllowed(address, rules)),
        [false, true, true],
        address,
      );
    }
    for (const address of PUBLIC) assert.equal(isAllowed(address, STRICT), true, address);
  });

  it('allows just the networks that the operator names', () => {
    const rules = { ...STRICT, allowed: list(['10.1.0.0', 16]) };
    assert.deepEqual(
      ['10.1.2.3', '::ffff:10.1.2.3', '10.2.0.1'].map((address) => isAllowed(address, rules)),
      [true, true, false],
    );
  });

  it('never lets the API server be reached', () => {
    const forbidden = list(['10.96.0.1', 32]);
    for (const rules of [RELAXED, ALLOWING]) {
      assert.equal(isAllowed('10.96.0.1', { ...rules, forbidden }), false);
      assert.equal(isAllowed('::ffff:10.96.0.1', { ...rules, forbidden }), false);
      assert.equal(isAllowed('10.96.0.2', { ...rules, forbidden }), true);
    }
  });

  it('lets nothing private be reached while the API server is not known', () => {
    const addresses = [...PRIVATE, ...PUBLIC];
    for (const rules of [RELAXED, ALLOWING])
      assert.deepEqual(
        addresses.filter((address) => isAllowed(address, { ...rules, forbidden: undefined })),
        PUBLIC,
      );
  });

  it('takes no other spelling for an address', () => {
    for (const text of [
      '',
      'localhost',
      '127.1',
      '0x7f.0.0.1',
      '010.0.0.1',
      '2130706433',
      'fe80::1%eth0',
      '[::1]',
      '8.8.8.8:53',
    ]) {
      assert.equal(whyRefused(text, ALLOWING), 'is not an IP address', text);
    }
  });

  it('judges an IPv4 address alike, mapped or not (property)', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        for (const rules of [STRICT, RELAXED])
          assert.equal(whyRefused(`::ffff:${address}`, rules), whyRefused(address, rules));
      }),
    );
  });
});

describe('whyRefusedUrl()', () => {
  it('wants https where it is strict, and no password anywhere', () => {
    assert.equal(whyRefusedUrl('https://sso.example.org/keys', STRICT), undefined);
    assert.equal(whyRefusedUrl('http://sso.example.org/keys', STRICT), 'must be https');
    assert.equal(whyRefusedUrl('http://sso.example.org/keys', RELAXED), undefined);
    assert.equal(whyRefusedUrl('https://a:b@sso.example.org', RELAXED), 'must not hold a password');
    for (const url of ['file:///etc/passwd', 'ftp://x.example.org', 'data:,x', 'gopher://x']) {
      assert.equal(whyRefusedUrl(url, RELAXED), 'must be https', url);
    }
    assert.equal(whyRefusedUrl('not a url', RELAXED), 'is not a URL');
  });

  it('judges addresses in every spelling that a URL knows', () => {
    for (const host of [
      '127.0.0.1',
      '127.1',
      '0x7f.1',
      '2130706433',
      '017700000001',
      '[::1]',
      '[::ffff:7f00:1]',
      '10.0.0.1',
    ]) {
      assert.notEqual(whyRefusedUrl(`https://${host}/`, STRICT), undefined, host);
    }
    for (const host of ['169.254.169.254', '0xa9fea9fe', '[::ffff:a9fe:a9fe]', '[fe80::1]', '2852039166']) {
      assert.notEqual(whyRefusedUrl(`http://${host}/latest`, RELAXED), undefined, host);
    }
  });
});
