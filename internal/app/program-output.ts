import { systemClock } from '../core/clock.ts';
import { createLog, type Log, type LogOptions } from '../telemetry/log.ts';
import { type Output, openOutput } from '../telemetry/output.ts';

/** What a process of this program says, and how it ends. */
export interface ProgramOutput {
  readonly output: Output;
  readonly log: Log;
  /** Ends the process once what it said is out. */
  leave(code: number): Promise<void>;
}

const FLUSH_MS = 2000;

/**
 * Opens the log of this process. From now on a promise that nobody looks at is a line of it, and ends nothing: one
 * request's failure is not the others'.
 *
 * @param worker which of several processes this is
 */
export function openProgramOutput(level: LogOptions['level'], worker?: number): ProgramOutput {
  const output = openOutput(1);
  const log = createLog({ level, output, clock: systemClock, ...(worker !== undefined && { worker }) });
  process.on('unhandledRejection', (error) => log.error('A promise was rejected and nobody looked', { error }));
  return {
    output,
    log,
    async leave(code) {
      await output.close(FLUSH_MS);
      process.exit(code);
    },
  };
}
