import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Figure } from '../figures.ts';

export interface FuzzLengths {
  readonly frames: number;
  /** At the same time. */
  readonly connections: number;
}

const FULL: FuzzLengths = Object.freeze({ frames: 10_000_000, connections: 1000 });
const SEED = 6;
/** It tells of its progress far oftener; who is silent for so long hangs. */
const SILENT_MS = 300_000;

interface Run {
  readonly frames: number;
  readonly connections: number;
  readonly checks: number;
  readonly endings: Readonly<Record<string, number>>;
  readonly leakMib: number;
  readonly seconds: number;
}

/** What frames that no client sends do to the native door: whether it goes on serving, and what they leave behind. */
export async function measureFuzz(say: (line: string) => void, lengths: FuzzLengths = FULL): Promise<Figure[]> {
  const run = await fuzz(lengths, say);
  // What went wrong in the door itself ends its connection, and is as bad as a crash.
  const crashes = typeof run === 'string' ? 1 : (run.endings.internal ?? 0);
  const note = typeof run === 'string' ? run : words(run);
  const leak = typeof run === 'string' ? Number.MAX_SAFE_INTEGER : Math.round(Math.max(0, run.leakMib) * 100) / 100;
  return [
    { key: 'fuzz_crash', value: crashes, unit: 'crashes or hangs', bar: '0', note },
    { key: 'fuzz_leak_mib', value: leak, unit: 'MiB', bar: '<= 20', note },
  ];
}

const words = ({ frames, connections, checks, endings, seconds }: Run): string =>
  `${frames} frames, ${Math.round(frames / seconds)} a second, over ${connections} connections; ${checks} became checks; the door ended ${Object.entries(
    endings,
  )
    .map(([ending, count]) => `${count} by ${ending}`)
    .join(', ')}`;

/** @returns what it says of itself, or what became of it */
function fuzz({ frames, connections }: FuzzLengths, say: (line: string) => void): Promise<Run | string> {
  const args = [join(import.meta.dirname, 'fuzz-run.ts'), ...[frames, connections, SEED].map(String)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const { promise, resolve } = Promise.withResolvers<Run | string>();
  let out = '';
  let said = '';
  let isSilent = false;
  const silent = setTimeout(() => {
    isSilent = true;
    child.kill('SIGKILL');
  }, SILENT_MS);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    silent.refresh();
    said = (said + text).slice(-1000);
    say(text.trimEnd());
  });
  child.once('close', (code, signal) => {
    clearTimeout(silent);
    if (code === 0) resolve(JSON.parse(out) as Run);
    else
      resolve(isSilent ? `it was silent for ${SILENT_MS / 1000} s` : `it ended with ${code ?? signal}: ${said.trim()}`);
  });
  return promise;
}
