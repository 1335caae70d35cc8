import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { bundle } from './bundle.ts';
import { MAIN, ROOT } from './command.ts';

let out = '';
let bundled = '';
before(async () => {
  out = mkdtempSync(join(tmpdir(), 'postern-bundle-'));
  bundled = await bundle(out);
});
after(() => rmSync(out, { recursive: true, force: true }));

/** Does something at the moment at which the process asks for the rest of the program. */
const whileLoading = (script: string): string =>
  `data:text/javascript,${encodeURIComponent(`
    import { writeSync } from 'node:fs';
    import { registerHooks } from 'node:module';
    registerHooks({
      resolve(specifier, context, next) {
        if (/^\\.\\/program/.test(specifier)) { ${script} }
        return next(specifier, context);
      },
    });`)}`;

/** Makes the process take itself for the first one of a container. */
const FIRST_PROCESS = "data:text/javascript,Object.defineProperty(process, 'pid', { value: 1 })";
/** Loads for ever, and turns no loop meanwhile. */
const BUSY = "writeSync(1, 'loads'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);";

const OWN = ['--policies=policies', '--grpc-addr=127.0.0.1:0', '--admin-addr=127.0.0.1:0', '--debug-addr=off'];

interface Serving {
  readonly child: ChildProcess;
  /** Resolves with the line that has this message. */
  said(message: string): Promise<Record<string, unknown>>;
}

function serve(...flags: string[]): Serving {
  const child = spawn(process.execPath, [bundled, 'serve', ...OWN, ...flags], {
    cwd: ROOT,
    env: {},
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: Record<string, unknown>[] = [];
  const waiting = new Map<unknown, (line: Record<string, unknown>) => void>();
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Record<string, unknown>;
    lines.push(line);
    waiting.get(line.message)?.(line);
  });
  return {
    child,
    said(message) {
      const known = lines.find((line) => line.message === message);
      if (known !== undefined) return Promise.resolve(known);
      return new Promise((resolve) => void waiting.set(message, resolve));
    },
  };
}

describe('a signal', () => {
  for (const [what, mainOf] of [
    ['the sources', () => MAIN],
    ['the bundle', () => bundled],
  ] as const) {
    for (const [signal, code] of [
      ['SIGTERM', 143],
      ['SIGINT', 130],
    ] as const) {
      it(`ends ${what} with ${code} when ${signal} comes while the program loads, which process 1 would lose`, async () => {
        const loading = whileLoading(`process.emit('${signal}', '${signal}');`);
        const args = ['--import', FIRST_PROCESS, '--import', loading, mainOf(), 'serve', ...OWN];
        const child = spawn(process.execPath, args, { cwd: ROOT, env: {}, stdio: 'ignore' });
        assert.deepEqual(await once(child, 'exit'), [code, null]);
      });

      it(`ends ${what} at once when ${signal} comes while another process than the first loads`, async () => {
        const args = ['--import', whileLoading(BUSY), mainOf(), 'serve', ...OWN];
        const child = spawn(process.execPath, args, { cwd: ROOT, env: {}, stdio: ['ignore', 'pipe', 'inherit'] });
        await once(child.stdout, 'data');
        child.kill(signal);
        assert.deepEqual(await once(child, 'exit'), [null, signal]);
      });
    }
  }

  it('drains the bundle, which ends with 0', async () => {
    const { child, said } = serve();
    await said('Postern is ready');
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    await said('Postern has stopped');
  });

  it('ends it at once when it is the second', async () => {
    const { child, said } = serve('--drain-timeout=1h');
    const { grpc } = await said('Postern listens');
    await said('Postern is ready');
    const open = connect(Number(String(grpc).split(':')[1]), '127.0.0.1').on('error', () => undefined);
    open.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
    await once(open, 'data');
    child.kill('SIGTERM');
    await said('Postern drains');
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [1, null]);
  });
});
