import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Preface } from './preface.ts';

const WHOLE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

describe('Preface', () => {
  it('is the same however it is cut into pieces', () => {
    for (let cut = 0; cut <= WHOLE.length; cut += 1) {
      const preface = new Preface();
      const first = preface.read(Buffer.from(WHOLE.slice(0, cut)));
      const second = preface.read(Buffer.from(`${WHOLE.slice(cut)}more`));
      assert.deepEqual([first, second, preface.isWhole], [cut, WHOLE.length - cut, true]);
    }
  });

  for (const [protocol, said] of [
    ['HTTP/1', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['HTTP/1', 'POST /envoy.service.auth.v3.Authorization/Check HTTP/1.0\r\n'],
    ['TLS', '\x16\x03\x01\x00\xc8\x01'],
    ['HTTP/1', 'PUT /x HTTP/1.1\r\n'],
    ['HTTP/1', 'PROPFIND /x HTTP/1.1\r\n'],
    ['another protocol', 'AUTHENTICATE\r\n'],
    ['another protocol', 'ABCDEFGHIJKLMNOPQ'],
    ['another protocol', '\x16\x02'],
    ['another protocol', '*1\r\n$4\r\nPING\r\n'],
    ['another protocol', 'PRI * HTTP/3'],
    ['another protocol', '\0'],
  ] as const) {
    it(`tells ${protocol} by ${JSON.stringify(said)}`, () => {
      assert.equal(new Preface().read(Buffer.from(said, 'latin1')), protocol);
    });

    it(`tells ${protocol} by ${JSON.stringify(said)} also where it comes in pieces`, () => {
      for (const size of [1, 2, 3, 5]) {
        const preface = new Preface();
        let told: number | string = 0;
        for (let at = 0; at < said.length && typeof told === 'number'; at += size)
          told = preface.read(Buffer.from(said.slice(at, at + size), 'latin1'));
        assert.equal(told, protocol);
      }
    });
  }
});
