// npm run profile: where the time of a check goes besides its transport. Writes bench/results/profile.json.
// npm run profile -- <other tree> [loads]: this tree against another one beside it, an older commit say, slice by slice in
// one process, so that both have the same weather.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { getHeapStatistics } from 'node:v8';
import { type CheckLoop, LOADS, type LoadName, startCheckLoop } from './check-loop.ts';
import { type Sample, selfTimes } from './self-times.ts';
import { measuredBy, median, SERVER_CORE } from './servers.ts';

const ROOT = resolve(import.meta.dirname, '..');
const LOOP = 'bench/check-loop.ts';
const NAMES = Object.keys(LOADS) as readonly LoadName[];
const ROUNDS = 7;
const CHECKS = 60_000;
const FUNCTIONS = 40;
const SLICES = 120;
const SLICE = 2000;

interface Measured {
  /** Best round, in microseconds of processor time a check: what else runs on the machine counts less. */
  readonly us: number;
  /** Bytes allocated for a check, which a collection has to free again. */
  readonly bytes: number;
}

interface Profiled extends Measured {
  readonly name: string;
  /** By their own share of the time, the dearest first. */
  readonly functions: readonly Sample[];
}

const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits));

async function measure(run: CheckLoop, checks: number): Promise<Measured> {
  const allocatedBefore = getHeapStatistics().total_allocated_bytes;
  const before = process.threadCpuUsage();
  await run(checks);
  const { user, system } = process.threadCpuUsage(before);
  const allocated = getHeapStatistics().total_allocated_bytes - allocatedBefore;
  return { us: (user + system) / checks, bytes: allocated / checks };
}

/** One load in this process, as a server has only one. */
async function profileOne(name: LoadName): Promise<Profiled> {
  const run = await startCheckLoop(name);
  const rounds: Measured[] = [];
  for (let i = 0; i < ROUNDS; i += 1) rounds.push(await measure(run, CHECKS));
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 100 });
  await session.post('Profiler.start');
  await run(ROUNDS * CHECKS);
  const { profile } = await session.post('Profiler.stop');
  const functions = selfTimes(profile).slice(0, FUNCTIONS);
  return {
    name,
    us: rounded(Math.min(...rounds.map(({ us }) => us))),
    bytes: Math.round(median(rounds.map(({ bytes }) => bytes))),
    functions: functions.map(({ where, share }) => ({ where, share: rounded(share, 4) })),
  };
}

function profileAll(): void {
  const measured = measuredBy('npm run profile');
  const loads = NAMES.map((name) => {
    const args = ['-c', SERVER_CORE, process.execPath, 'bench/profile.ts', '--only', name];
    return JSON.parse(execFileSync('taskset', args, { cwd: ROOT, encoding: 'utf8' })) as Profiled;
  });
  // Shares and bytes are the same whatever else runs; microseconds are of a machine that had nothing else to do.
  const kept = loads.map(({ name, bytes, functions }) => ({ name, bytes, functions }));
  const result = { ...measured, loads: kept };
  writeFileSync(join(ROOT, 'bench/results/profile.json'), `${JSON.stringify(result, null, 2)}\n`);
  for (const { name, us, bytes, functions } of loads) {
    process.stdout.write(`${name}: ${us} µs and ${bytes} bytes a check\n`);
    for (const { where, share } of functions)
      process.stdout.write(`  ${(share * 100).toFixed(1).padStart(5)} %  ${where}\n`);
  }
}

async function compareWith(other: string, name: LoadName): Promise<void> {
  const { startCheckLoop: startOther } = (await import(pathToFileURL(join(other, LOOP)).href)) as {
    readonly startCheckLoop: typeof startCheckLoop;
  };
  const ours = await startCheckLoop(name);
  const theirs = await startOther(name);
  const slices: { readonly ours: Measured; readonly theirs: Measured }[] = [];
  for (let i = 0; i < SLICES; i += 1)
    slices.push({ theirs: await measure(theirs, SLICE), ours: await measure(ours, SLICE) });
  const of = (side: 'ours' | 'theirs') => ({
    us: rounded(median(slices.map((slice) => slice[side].us))),
    bytes: Math.round(median(slices.map((slice) => slice[side].bytes))),
  });
  const ratio = rounded(median(slices.map((slice) => slice.ours.us / slice.theirs.us)), 3);
  process.stdout.write(`${JSON.stringify({ name, ratio, ours: of('ours'), theirs: of('theirs') })}\n`);
}

const [first, ...names] = process.argv.slice(2);
const wanted = NAMES.filter((name) => names.length === 0 || names.includes(name));
if (first === undefined) profileAll();
else if (first === '--only') {
  for (const name of wanted) process.stdout.write(`${JSON.stringify(await profileOne(name))}\n`);
} else if (existsSync(join(first, LOOP))) {
  for (const name of wanted) await compareWith(resolve(first), name);
} else {
  process.stderr.write(`error: "${first}" has no ${LOOP}: give the folder of a tree that has it\n`);
  process.exit(2);
}
process.exit(0);
