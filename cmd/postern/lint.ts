import { Command } from 'commander';
import { lintFiles } from '../../internal/app/lint.ts';
import type { HostGrantsRule } from '../../internal/app/offline.ts';
import { variableOf } from '../../internal/config/option.ts';
import { describe, fail, printProblems } from './fail.ts';
import { classOption, hostGrantsOption, typedPath } from './policy-options.ts';

const VARIABLE = variableOf('policies');

const LIMITS = `
It says what instances of these classes would. What only one that serves several namespaces refuses, such as issuers on
http or at private addresses, is a warning. It knows nothing that is not in the files: other flags of the instance, hosts
that other namespaces hold, labels of namespaces, Secrets.
`;

interface Options {
  readonly class?: string;
  readonly hostGrants?: HostGrantsRule;
  readonly strict?: boolean;
}

/** `postern lint PATHS`: what instances would say of these files, before they have to. */
export function lintCommand(): Command {
  return new Command('lint')
    .description('Check policies in files.')
    .argument('[paths...]', `files and directories (default: "policies", env: ${VARIABLE})`)
    .addOption(classOption('only policies of this class; without it, those of every class'))
    .addOption(hostGrantsOption())
    .option('--strict', 'warnings count as errors')
    .addHelpText(
      'after',
      `${LIMITS}\nExit codes: 0 for nothing wrong, 1 for something wrong, 2 for a mistake in flags or files.`,
    )
    .action(async (paths: readonly string[], options: Options) => {
      try {
        const { problems, count } = await lintFiles(pathsOf(paths), options.class, options.hostGrants);
        printProblems(problems, process.stdout);
        const warnings = problems.filter(({ severity }) => severity === 'warning').length;
        const wrong = problems.length - (options.strict === true ? 0 : warnings);
        const also = warnings > 0 && wrong === 0 ? `, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}` : '';
        process.stdout.write(`${count} objects, ${wrong === 0 ? 'nothing' : wrong} wrong${also}\n`);
        process.exit(wrong === 0 ? 0 : 1);
      } catch (error) {
        fail(2, [describe(error)]);
      }
    });
}

function pathsOf(given: readonly string[]): readonly string[] {
  if (given.length > 0) return given.map(typedPath);
  const variable = process.env[VARIABLE];
  return variable === undefined ? ['policies'] : [typedPath(variable)];
}
