import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { startTestAgent } from '../envoy/harness.ts';
import { type Issued, issue } from './certificates.ts';

const RELOAD_MS = 10_000;
const over = issue({ name: 'over', notAfterMs: Date.UTC(2021, 0, 1) });
const first = issue({ name: 'first', notAfterMs: Date.UTC(2044, 0, 1) });
const second = issue({ name: 'second', notAfterMs: Date.UTC(2044, 0, 2) });

/** Lines that an agent logs of its certificates: at its start, and after each look at what is written then. */
async function linesOf(t: TestContext, certificate: Issued, ...later: readonly Issued[]): Promise<readonly unknown[]> {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const folder = mkdtempSync(join(tmpdir(), 'postern-certificates-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const certFile = join(folder, 'tls.crt');
  const keyFile = join(folder, 'tls.key');
  const write = (issued: Issued): void => {
    writeFileSync(certFile, issued.certificate);
    writeFileSync(keyFile, issued.privateKey);
  };
  write(certificate);
  const agent = await startTestAgent('', { 'tls-cert': certFile, 'tls-key': keyFile });
  t.after(() => agent.stop());
  const said = (): readonly Readonly<Record<string, unknown>>[] =>
    agent.lines.filter(({ message }) => /certificate/i.test(String(message)));
  for (const issued of later) {
    const before = said().length;
    write(issued);
    t.mock.timers.tick(RELOAD_MS);
    while (said().length === before) await turn();
  }
  return said().map(({ level, message, notAfter, error }) => {
    const why = (error as { readonly message: string } | undefined)?.message.replace(folder, '');
    return [level, message, notAfter ?? why];
  });
}

describe('the log of an agent with certificates', () => {
  it('warns at the start of one that is over, and says nothing of one that is good', async (t) => {
    assert.deepEqual(await linesOf(t, over), [
      [
        'warn',
        'The certificate of --tls-cert is over: whoever verifies it will not connect',
        '2021-01-01T00:00:00.000Z',
      ],
    ]);
  });

  it('tells of a reload, of one that cannot be used, and when it can be again', async (t) => {
    assert.deepEqual(await linesOf(t, first, second, over, second, first), [
      ['info', 'Certificates were reloaded', '2044-01-02T00:00:00.000Z'],
      [
        'error',
        'A certificate cannot be used; the old one stays',
        '--tls-cert: the certificate in "/tls.crt" ended at 2021-01-01T00:00:00.000Z',
      ],
      ['info', 'Certificates can be used again', '2044-01-02T00:00:00.000Z'],
      ['info', 'Certificates were reloaded', '2044-01-01T00:00:00.000Z'],
    ]);
  });
});
