import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';

export const ROOT = resolve(import.meta.dirname, '../..');
export const MAIN = join(ROOT, 'cmd/postern/main.ts');

export interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Run {
  readonly main?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the command line to its end, with no variables but `PATH` and those that are given. */
export async function postern(args: readonly string[], { main = MAIN, cwd = ROOT, env = {} }: Run = {}): Promise<Said> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((done) => child.once('close', done));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, out, err };
}
