import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startChild } from './child.ts';

/** Starts a program that holds a connection to a port as long as it lives. */
const PARENT = `
const { startChild } = await import(process.argv[1]);
startChild(process.execPath, ['--eval', 'net.connect(' + process.argv[2] + ', "127.0.0.1")']);
setInterval(() => undefined, 1000);`;

describe('startChild()', () => {
  it('keeps what a program said, and that it has ended', async () => {
    const child = startChild('/bin/sh', ['-c', 'echo "the port is taken" >&2; exit 3']);
    await child.exited;
    assert.deepEqual([child.hasExited(), child.said()], [true, 'the port is taken\n']);
    await child.stop();
  });

  it('keeps the end of a program that says much', async () => {
    const child = startChild('/bin/sh', ['-c', 'i=0; while [ $i -lt 2000 ]; do echo "line $i" >&2; i=$((i+1)); done']);
    await child.exited;
    assert.deepEqual([child.said().length, child.said().endsWith('line 1999\n')], [8000, true]);
  });

  it('says why a program cannot be started', async () => {
    const child = startChild('/no/such/program', []);
    await child.exited;
    assert.match(child.said(), /ENOENT/);
    await child.stop();
    await child.kill();
  });

  it('ends a program at once that listens to SIGTERM', async () => {
    const child = startChild('/bin/sleep', ['60']);
    await child.stop();
    assert.equal(child.hasExited(), true);
  });

  it('ends a program when this process is killed', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const module = join(import.meta.dirname, 'child.ts');
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', PARENT, module, String(port)]);
    const [connection] = (await once(server, 'connection')) as [Socket];
    connection.on('error', () => undefined);
    parent.kill('SIGKILL');
    await once(connection.resume(), 'close');
  });
});
