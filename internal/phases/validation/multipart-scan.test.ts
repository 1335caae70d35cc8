import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scanMultipart } from './multipart-scan.ts';

const FIELD = 'Content-Disposition: form-data; name="a"';
const scan = (body: string, boundary = 'b'): unknown => scanMultipart(Buffer.from(body, 'latin1'), boundary);
const part = (head: string, content = 'x'): string => `--b\r\n${head}\r\n\r\n${content}\r\n`;

describe('scanMultipart()', () => {
  it('measures parts', () => {
    const file = 'Content-Disposition: form-data; name="f"; filename="a;b --b.txt"\r\nContent-Type: text/plain';
    const body = `${part(FIELD, '12')}${part(file, 'x --b\r\n-b\xff')}--b--\r\n`;
    assert.deepEqual(scan(body), { parts: 2, largestPart: 10 });
    assert.deepEqual(scan(`${part(FIELD, '')}--b--`), { parts: 1, largestPart: 0 });
  });

  it('takes nothing that some readers part otherwise', () => {
    const wrong = [
      '',
      '--b--',
      '--b',
      `preamble\r\n${part(FIELD)}--b--`,
      `${part(FIELD)}--b--\r\nepilogue`,
      `${part(FIELD)}--b--\r\n${part(FIELD)}--b--`,
      part(FIELD),
      `${part(FIELD)}--b`,
      `${part(FIELD)}--bc\r\n${FIELD}\r\n\r\ny\r\n--b--`,
      `--b \r\n${FIELD}\r\n\r\nx\r\n--b--`,
      `--b\n${FIELD}\n\nx\n--b--`,
      `${part(FIELD, 'x\n--b\nContent-Disposition: form-data; name="role"\n\nadmin')}--b--`,
      `${part(FIELD, 'x\r--b\r')}--b--`,
    ];
    for (const body of wrong) assert.equal(scan(body), undefined, JSON.stringify(body));
  });

  it('takes no part that has two readings, or parts of its own', () => {
    const heads = [
      '',
      'Content-Type: text/plain',
      'Content-Disposition: form-data',
      'Content-Disposition: form-data; name="a"; name="b"',
      'Content-Disposition: form-data; name="a"; filename="x"; filename="y"',
      'Content-Disposition: form-data; name="a"; filename="x"; filename*=UTF-8\'\'y.php',
      'Content-Disposition: form-data; name="a\\"; filename=\\"x"',
      'Content-Disposition: form-data; name="; name="a"',
      'Content-Disposition: form-data; filename="; name=a"; name=b',
      `${FIELD}\r\nContent-Disposition: form-data; name="b"`,
      `${FIELD}\r\n folded`,
      `${FIELD}\r\nX: a\rb`,
      `${FIELD}\r\nX: a\nContent-Type: text/html`,
      `${FIELD}\r\nno header`,
      `${FIELD}\r\nContent-Type: multipart/mixed; boundary=c`,
      `${FIELD}\r\nContent-Transfer-Encoding: base64`,
      `${FIELD}\r\nContent-Transfer-Encoding: quoted-printable`,
      `${FIELD} : x`,
      `${FIELD}\u0000`,
      Array.from({ length: 9 }, (_, i) => `X-${i}: 1`).join('\r\n'),
      `X: ${'x'.repeat(5000)}\r\n${FIELD}`,
    ];
    for (const head of heads) assert.equal(scan(`${part(head)}--b--`), undefined, head.slice(0, 80));
  });

  it('takes time linear in the body, whatever it is', () => {
    const large = 1_000_000;
    const dashes = '-'.repeat(60);
    const cases: readonly (readonly [string, string])[] = [
      [`--${dashes}\r\n${FIELD}\r\n\r\n${'-'.repeat(large)}`, dashes],
      [`--b\r\n${FIELD}\r\n\r\n${'--b'.repeat(large / 3)}`, 'b'],
      [`--b\r\n${FIELD}\r\n\r\n${'\r\n--b'.repeat(large / 5)}`, 'b'],
      [`--b\r\n${FIELD}\r\n\r\n${'\r\n-'.repeat(large / 3)}`, 'b'],
      [`--b\r\n${';name='.repeat(large / 6)}`, 'b'],
      [part(FIELD, '').repeat(large / 60), 'b'],
    ];
    for (const [body, boundary] of cases) {
      const start = performance.now();
      assert.ok(['large', undefined].includes(scan(body, boundary) as string | undefined));
      assert.ok(performance.now() - start < 2000, body.slice(0, 20));
    }
  });
});
