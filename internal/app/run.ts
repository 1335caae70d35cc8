import type { Config } from '../config/config.ts';
import { systemClock } from '../core/clock.ts';
import { PosternError } from '../core/error.ts';
import { addressText } from '../core/listen-address.ts';
import { startTracing } from '../telemetry/tracing.ts';
import { startAgent } from './agent.ts';
import { exitCodeOf } from './exit-code.ts';
import { openProgramOutput } from './program-output.ts';
import { nextSignal } from './signals.ts';
import { VERSION } from './version.ts';

/** Runs an agent as a process: until SIGTERM or Ctrl-C, then drains; a second signal ends it at once. */
export async function runAgent(config: Config, otel: Readonly<Record<string, string | undefined>>): Promise<void> {
  const { output, log, leave } = openProgramOutput(config.logLevel);
  try {
    const tracing = await startTracing({ variables: otel, version: VERSION, log });
    const agent = await startAgent({
      config,
      clock: systemClock,
      log,
      tracing,
      version: VERSION,
      logDropped: () => output.dropped,
      processes: { program: process.argv[1] ?? '', otel, onLines: (lines) => output.forward(lines) },
    });
    log.info('Postern listens', {
      version: VERSION,
      grpc: agent.grpcAddress,
      ...(agent.httpAddress !== undefined && { http: addressText(agent.httpAddress) }),
      admin: addressText(agent.adminAddress),
      ...(agent.debugAddress !== undefined && { debug: addressText(agent.debugAddress) }),
      ...(config.workers > 1 && { workers: config.workers }),
      ...agent.cluster,
      given: config.given,
    });
    void agent.ready.then(() => log.info('Postern is ready'));
    const signal = await nextSignal();
    log.info('Postern drains', { signal });
    void nextSignal().then(() => leave(1));
    await agent.stop();
    log.info('Postern has stopped');
    await leave(0);
  } catch (error) {
    if (error instanceof PosternError) process.stderr.write(`error: ${error.message}\n`);
    else log.error('Postern could not start', { error });
    await leave(exitCodeOf(error));
  }
}
