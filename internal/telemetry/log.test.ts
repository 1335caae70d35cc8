import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createLog, type Log, type LogOptions } from './log.ts';
import { openOutput } from './output.ts';

const folder = mkdtempSync(join(tmpdir(), 'log-'));
after(() => rmSync(folder, { recursive: true }));

function aLog(level: LogOptions['level'] = 'info'): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const output = { write: (line: string) => lines.push(line) };
  return { log: createLog({ level, output, clock: { wallMs: () => Date.UTC(2026, 10, 24, 12, 0, 0, 7) } }), lines };
}

describe('createLog()', () => {
  it('writes one JSON object a line: level, time, fields, message', () => {
    const { log, lines } = aLog();
    log.warn('Policy not accepted', { policy: 'shop/orders', problems: [{ path: 'spec.target', reason: 'Invalid' }] });
    assert.deepEqual(lines, [
      '{"level":"warn","time":"2026-11-24T12:00:00.007Z","policy":"shop/orders","problems":[{"path":"spec.target","reason":"Invalid"}],"message":"Policy not accepted"}\n',
    ]);
  });

  it('keeps to its level, decisions aside', () => {
    const { log, lines } = aLog('warn');
    log.debug('d');
    log.info('i');
    log.warn('w');
    log.error('e');
    log.decision({ decision: 'deny' }, false);
    log.decision({ decision: 'fault' }, true);
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)).map(({ level, message, decision }) => [level, message, decision]),
      [
        ['warn', 'w', undefined],
        ['error', 'e', undefined],
        ['info', 'decision', 'deny'],
        ['error', 'decision', 'fault'],
      ],
    );
  });

  it('takes a message as it is: no placeholders, no request objects', () => {
    const { log, lines } = aLog();
    log.info('100 %s %d %j', { method: 'GET', headers: { a: 'b' }, socket: {} });
    assert.deepEqual(JSON.parse(lines[0] ?? '').message, '100 %s %d %j');
  });
});

describe('openOutput()', () => {
  const open = (name: string): { path: string; fd: number } => {
    const path = join(folder, name);
    return { path, fd: openSync(path, 'a') };
  };

  it('writes each line whole, escapes what would break it, and ends with all of them written', async () => {
    const { path, fd } = open('all.log');
    const output = openOutput(fd);
    for (let i = 0; i < 2000; i += 1) output.write(`{"i":${i},"s":"\u2028\ud800"}\n`);
    await output.close(5000);
    const lines = readFileSync(path, 'utf8').split('\n');
    assert.equal(lines.length, 2001);
    assert.equal(lines[1999], '{"i":1999,"s":"\\u2028\\ud800"}');
    assert.equal(output.dropped, 0);
  });

  it('drops and counts what does not fit, and never blocks', async () => {
    const { fd } = open('full.log');
    const output = openOutput(fd, 1000);
    for (let i = 0; i < 100; i += 1) output.write(`"${'x'.repeat(97)}"\n`);
    assert.equal(output.dropped, 90);
    await output.close(5000);
  });

  it('drops lines after its end', async () => {
    const { fd } = open('closed.log');
    const output = openOutput(fd);
    await output.close(5000);
    output.write('{}\n');
    await output.close(5000);
    assert.equal(output.dropped, 1);
  });

  it('counts what an output refuses, goes on, and lets the process end (a full disk)', async () => {
    const output = openOutput(openSync('/dev/full', 'w'));
    for (let i = 0; i < 5; i += 1) output.write('{}\n');
    await output.close(5000);
    assert.equal(output.dropped, 5);
  });

  it('waits no longer than it is told for a reader that takes nothing, and drops what it does not take', async () => {
    const child = spawn('sleep', ['60'], { stdio: ['pipe', 'ignore', 'ignore'] });
    const handle = (child.stdin as unknown as { _handle: { fd: number } })._handle;
    const output = openOutput(handle.fd, 2_000_000);
    for (let i = 0; i < 40; i += 1) output.write(`"${'x'.repeat(99_997)}"\n`);
    assert.equal(output.dropped, 20);
    await output.close(50);
    child.kill();
    await once(child, 'exit');
  });

  it('outlives a reader that goes away', async () => {
    const source = `
      import { openOutput } from './output.ts';
      const output = openOutput(1);
      process.stdin.once('data', async () => {
        for (let i = 0; i < 100; i += 1) { output.write('{}\\n'); await new Promise(setImmediate); }
        await output.close(100);
        process.exit(7);
      });
      output.write('"first"\\n');
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', source], { cwd: import.meta.dirname });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    await once(child.stdout, 'close');
    child.stdin.write('go');
    const [code] = await once(child, 'exit');
    assert.equal(code, 7);
  });
});
