import { Command } from 'commander';
import { VERSION } from '../../internal/app/version.ts';
import { variableProblems } from '../../internal/config/load-config.ts';
import { checkCommand } from './check.ts';
import { devCommand } from './dev.ts';
import { fail } from './fail.ts';
import { injectCommand } from './inject.ts';
import { keysCommand } from './keys.ts';
import { lintCommand } from './lint.ts';
import { serveCommand } from './serve.ts';
import { sayUsageErrors } from './usage.ts';
import { versionCommand } from './version.ts';

/** The whole command line. */
export function createProgram(): Command {
  const program = new Command('postern')
    .description('The policy agent beside Envoy.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpCommand('help [command]', 'print the help of a command');
  for (const command of [
    serveCommand(),
    devCommand(),
    checkCommand(),
    lintCommand(),
    keysCommand(),
    injectCommand(),
    versionCommand(),
  ])
    program.addCommand(command);
  program.addHelpText(
    'after',
    '\nExit codes: 0 for success, 1 for refused or wrong, 2 for a mistake in flags or files.',
  );
  program.hook('preAction', (_, command) => refuseVariables(command));
  sayUsageErrors(program);
  return program;
}

/** No command ignores a variable that is meant for it and misspelt; `serve` says so with all else that is wrong. */
function refuseVariables(command: Command): void {
  const unknown = command.name() === 'serve' ? [] : variableProblems();
  if (unknown.length > 0) fail(2, unknown);
}

export async function runProgram(): Promise<void> {
  await createProgram().parseAsync();
}
