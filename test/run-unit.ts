// npm run test:unit: everything that needs no component, in two processes a processor (some tests wait), at most four, each
// with its share of the files. What Node compiled is kept: starting each file anew would take longer than its tests.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';

const FILES = ['internal/**/*.test.ts', 'test/*.test.ts', 'test/cases/*.test.ts'];
const MAX_SHARDS = 4;
const COMPILED = resolve(import.meta.dirname, '../.cache/compiled');

const shards = Math.min(MAX_SHARDS, 2 * availableParallelism());

/** Runs one share; what it prints comes in one piece, so that shares do not mix. */
async function run(shard: number): Promise<number> {
  const args = [
    '--test',
    '--test-isolation=none',
    `--test-shard=${shard}/${shards}`,
    ...process.argv.slice(2),
    ...FILES,
  ];
  const env = { ...process.env, NODE_COMPILE_CACHE: COMPILED };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = Promise.withResolvers<number>();
  child.once('error', ended.reject);
  child.once('exit', (code) => ended.resolve(code ?? 1));
  process.stdout.write(await text(child.stdout));
  return ended.promise;
}

const codes = await Promise.all(Array.from({ length: shards }, (_, index) => run(index + 1)));
process.exitCode = Math.max(...codes);
