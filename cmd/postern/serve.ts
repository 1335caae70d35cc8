import { Command } from 'commander';
import { runAgent } from '../../internal/app/run.ts';
import { loadConfig, otelVariables } from '../../internal/config/load-config.ts';
import { flagsOf, registerOptions } from '../../internal/config/register-options.ts';
import { fail } from './fail.ts';

/** `postern serve`: production. */
export function serveCommand(): Command {
  const command = new Command('serve').description('Answer checks until told to stop.');
  return registerOptions(command).action(async () => {
    const result = loadConfig(flagsOf(command));
    if (!result.ok) return fail(2, result.problems);
    await runAgent(result.config, otelVariables());
  });
}
