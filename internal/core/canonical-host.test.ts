import assert from 'node:assert/strict';
import { it } from 'node:test';
import { canonicalHost } from './canonical-host.ts';

it('canonicalHost() gives every spelling of one host the same text', () => {
  const spellings: readonly (readonly [string, string])[] = [
    ['api.example.org', 'api.example.org'],
    ['API.Example.ORG', 'api.example.org'],
    ['api.example.org.', 'api.example.org'],
    ['api.example.org:8443', 'api.example.org'],
    ['API.example.org.:443', 'api.example.org'],
    ['localhost', 'localhost'],
    ['192.0.2.1:80', '192.0.2.1'],
    ['[::1]:8080', '[::1]'],
    ['[2001:DB8:0:0::1]', '[2001:db8::1]'],
    ['my_service.example.org', 'my_service.example.org'],
  ];
  for (const [raw, expected] of spellings) assert.equal(canonicalHost(raw), expected, raw);
});

it('canonicalHost() refuses lists, user information, empty labels and what is not ASCII', () => {
  const refused = [
    '',
    'a,b',
    'x.test,evil.test',
    'user@x.test',
    'a..b',
    'x.test..',
    '.x.test',
    '-x.test',
    'x test',
    'x.test:http',
    'x.test:',
    'x.test:123456',
    '[::1',
    '::1',
    '[fe80::1%eth0]',
    '[::1]x',
    'é.test',
    '\u212A.test',
    'x.test\u0000',
    'x.test/evil',
    '*.example.org',
    'a'.repeat(64),
    `${'a.'.repeat(130)}b`,
    'x%2etest',
    '[1.2.3.4]',
  ];
  for (const raw of refused) assert.equal(canonicalHost(raw), undefined, JSON.stringify(raw));
});
