import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PosternError } from '../core/error.ts';
import { readClient, readHeaders, readInstant, readUrl } from './request-options.ts';

function mistakeOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof PosternError);
    assert.equal(error.code, 'ERR_POSTERN_CONFIG');
    return error.message;
  }
  return 'none';
}

describe('readHeaders()', () => {
  it('reads names in lower case, in order, and the host apart', () => {
    assert.deepEqual(readHeaders(['X-Api-Key: pk:1', 'Host: api.example.org', 'x-empty:', 'x-api-key: pk2']), {
      headers: [
        ['x-api-key', 'pk:1'],
        ['x-empty', ''],
        ['x-api-key', 'pk2'],
      ],
      host: 'api.example.org',
    });
    assert.deepEqual(readHeaders([]), { headers: [] });
  });

  for (const [text, shown] of [
    ['bad name: secret', 'bad'],
    ['x-api-key secret', 'x-api-key'],
    ['x-api-key', 'x-api-key'],
    [': secret', ''],
    ['na(me: secret', 'na(me'],
    ['name : secret', 'name'],
    ['', ''],
  ] as const) {
    it(`says no more of ${JSON.stringify(text)} than its beginning, for the rest may be a key`, () => {
      assert.equal(
        mistakeOf(() => readHeaders([text])),
        `-H "${shown}" is no header: write it as "name: value"`,
      );
    });
  }

  it('refuses a value with control characters, and two hosts', () => {
    assert.equal(
      mistakeOf(() => readHeaders(['x-a: b\r\nx-secret: c'])),
      '-H "x-a" has a value with control characters',
    );
    assert.equal(
      mistakeOf(() => readHeaders(['Host: a', 'host: b'])),
      '-H "host" is given twice: a request has one host',
    );
  });
});

describe('readClient()', () => {
  it('takes addresses of both families and nothing else', () => {
    assert.deepEqual(['192.0.2.1', '2001:db8::1'].map(readClient), ['192.0.2.1', '2001:db8::1']);
    for (const text of ['999.1.1.1', 'localhost', '', '192.0.2.1:80', '192.0.2.0/24']) {
      assert.equal(
        mistakeOf(() => readClient(text)),
        `--client "${text}" is no IP address: write "192.0.2.1" or "2001:db8::1"`,
      );
    }
  });
});

describe('readInstant()', () => {
  it('takes a time with its offset, of a day that exists', () => {
    assert.equal(readInstant('2027-11-01T08:00:00Z'), Date.UTC(2027, 10, 1, 8));
    assert.equal(readInstant('2027-11-01T08:00:00.5+02:00'), Date.UTC(2027, 10, 1, 6) + 500);
    for (const text of ['2027-11-01', '2027-02-30T08:00:00Z', '2027-11-01T08:00:00', '1']) {
      assert.match(
        mistakeOf(() => readInstant(text)),
        /^--now "[^"]*" is no time: write it as/,
      );
    }
  });
});

describe('readUrl()', () => {
  it('leaves the path as it was written', () => {
    assert.deepEqual(readUrl('https://Api.example.org:8443/a/../b?c=%2f'), {
      scheme: 'https',
      host: 'Api.example.org:8443',
      target: '/a/../b?c=%2f',
    });
    assert.deepEqual(readUrl('http://localhost'), { scheme: 'http', host: 'localhost', target: '/' });
  });

  it('names what is wrong with a URL that nobody could ask for', () => {
    assert.deepEqual(
      [
        'ftp://localhost/',
        'http://localhost/healthz#f',
        'http://localhost/#',
        'http://localhost:99999/',
        'http://[::1]:0',
      ].map((text) => mistakeOf(() => readUrl(text))),
      [
        'The URL has the scheme "ftp": Envoy asks for http and https only',
        'The URL has a fragment, which no client sends: leave out "#" and what follows',
        'The URL has a fragment, which no client sends: leave out "#" and what follows',
        'The URL has the port "99999": write a number from 1 to 65535',
        'The URL has the port "0": write a number from 1 to 65535',
      ],
    );
    assert.deepEqual(readUrl('HTTP://localhost:65535'), { scheme: 'http', host: 'localhost:65535', target: '/' });
  });

  it('does not repeat what is none, for it may be a key that lost its quotes', () => {
    const message = 'The argument is no URL: write it as http://localhost/v1/orders/7';
    for (const text of ['pk_secret', 'localhost/v1', 'http://', '/v1/orders/7']) {
      assert.equal(
        mistakeOf(() => readUrl(text)),
        message,
      );
    }
  });
});
