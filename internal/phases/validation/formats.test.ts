import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type Format, isOfFormat } from './formats.ts';

const CASES: Readonly<Record<Format, readonly [right: readonly string[], wrong: readonly string[]]>> = {
  uuid: [
    [
      '123e4567-e89b-12d3-a456-426614174000',
      '00000000-0000-0000-0000-000000000000',
      'ABCDEFAB-cdef-1234-5678-ABCDEFABCDEF',
    ],
    [
      '',
      '123e4567e89b12d3a456426614174000',
      '{123e4567-e89b-12d3-a456-426614174000}',
      '123e4567-e89b-12d3-a456-42661417400g',
      '123e4567-e89b-12d3-a456-426614174000\n',
      'urn:uuid:123e4567-e89b-12d3-a456-426614174000',
    ],
  ],
  'date-time': [
    ['2026-11-27T23:00:00Z', '2024-02-29t00:00:00.123456+05:30', '2026-12-31T23:59:59-00:00'],
    [
      '2026-11-27',
      '2026-11-27 23:00:00Z',
      '2026-11-27T23:00:00',
      '2026-02-29T00:00:00Z',
      '2026-11-27T24:00:00Z',
      '2026-11-27T23:00:60Z',
      '2026-11-27T23:00:00+24:00',
      '2026-11-27T23:00:00.Z',
      '2026-1-27T23:00:00Z',
    ],
  ],
  date: [
    ['2026-11-27', '2000-02-29', '2024-02-29', '0000-01-01'],
    [
      '2026-02-29',
      '1900-02-29',
      '2026-00-01',
      '2026-13-01',
      '2026-04-31',
      '2026-01-00',
      '26-01-01',
      '2026-01-01Z',
      '２０２６-01-01',
    ],
  ],
  email: [
    ['a@b', 'first.last+tag@mail.example.org', "o'neil@example.org"],
    [
      '',
      'a',
      '@b',
      'a@',
      'a@b@c',
      '.a@b',
      'a..b@c',
      'a.@b',
      '"a b"@c',
      'a@[127.0.0.1]',
      'a @b',
      'a@b\r\nbcc: c@d',
      `${'a'.repeat(65)}@b`,
      'a@-b',
    ],
  ],
  hostname: [
    ['localhost', 'a.example.org', 'xn--bcher-kva.example'],
    ['', '.', 'a.', 'a..b', '-a', 'a-', 'a_b', 'ä.org', 'a.org:80', `${'a'.repeat(64)}.org`],
  ],
  ipv4: [
    ['127.0.0.1', '255.255.255.255'],
    ['127.1', '0177.0.0.1', '0x7f.0.0.1', '2130706433', '127.0.0.1 ', '::1', '1.2.3.256'],
  ],
  ipv6: [
    ['::1', '2001:db8::1', '::ffff:10.0.0.1'],
    ['fe80::1%eth0', '127.0.0.1', '[::1]', ':::', '1:2:3:4:5:6:7:8:9'],
  ],
  uri: [
    ['https://example.org/a?b=c#d', 'urn:isbn:1', 'mailto:a@b', 'https://[::1]/%20'],
    [
      '',
      '/a',
      'example.org',
      'https://example.org/a b',
      'https://example.org/%2',
      'https://example.org/\u0000',
      'https://exämple.org',
      '1http://a',
      'http://a\\b',
      `http:${'a'.repeat(2050)}`,
    ],
  ],
};

for (const [format, [right, wrong]] of Object.entries(CASES) as [Format, (typeof CASES)[Format]][]) {
  it(`isOfFormat() knows what is ${format}, and what some readers take for it`, () => {
    for (const text of right) assert.equal(isOfFormat(format, text), true, text);
    for (const text of wrong) assert.equal(isOfFormat(format, text), false, JSON.stringify(text));
  });
}

it('isOfFormat() takes time linear in the text, whatever it is', () => {
  const texts = ['a.'.repeat(500_000), `${'a'.repeat(1_000_000)}!`, `${'%41'.repeat(300_000)}%`, '-'.repeat(1_000_000)];
  const start = performance.now();
  for (const format of Object.keys(CASES) as Format[]) for (const text of texts) isOfFormat(format, text);
  assert.ok(performance.now() - start < 2000);
});
