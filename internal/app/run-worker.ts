import type { Config } from '../config/config.ts';
import { readConfig } from '../config/read-config.ts';
import { machineMonotonicMs, systemClock } from '../core/clock.ts';
import { PosternError } from '../core/error.ts';
import { startTracing } from '../telemetry/tracing.ts';
import { MainProcess } from '../workers/main-process.ts';
import type { WorkerStart } from '../workers/messages.ts';
import { openProgramOutput } from './program-output.ts';
import { VERSION } from './version.ts';
import { startWorker } from './worker.ts';

/** What is left of checks when the main process is gone: nobody may be answered for long by what nobody keeps up. */
const ORPHAN_DRAIN_MS = 2000;

/** Runs as one of the processes that answer checks: until the main process says so, or is gone. */
export async function runWorker(): Promise<void> {
  const main = new MainProcess(process);
  const start = await main.start;
  const config = configOf(start);
  const { output, log, leave } = openProgramOutput(config.logLevel, start.index);
  try {
    const tracing = await startTracing({ variables: start.otel, version: VERSION, log });
    const worker = await startWorker({
      start,
      main,
      machineMs: machineMonotonicMs,
      config,
      clock: systemClock,
      log,
      tracing,
      version: VERSION,
      logDropped: () => output.dropped,
    });
    const ending = await main.end;
    await worker.stop(ending?.timeoutMs ?? ORPHAN_DRAIN_MS, ending?.delayMs ?? 0);
    await leave(ending === undefined ? 1 : 0);
  } catch (error) {
    log.error('A worker could not start', { error });
    const why = error instanceof Error ? error.message : String(error);
    await main.sayLast({ kind: 'notBegun', why, code: error instanceof PosternError ? error.code : undefined });
    await leave(1);
  }
}

/** Nothing but what the main process has read: a file that was changed since does not make two instances of one. */
function configOf({ options }: WorkerStart): Config {
  const result = readConfig({ flags: options, env: {}, readFile: () => '' });
  if (!result.ok) throw new Error(result.problems.join('; '));
  // Reflection stays with the main process.
  return { ...result.config, grpcAuxAddress: undefined };
}
