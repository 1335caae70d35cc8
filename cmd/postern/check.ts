import { resolve } from 'node:path';
import { Command } from 'commander';
import { type CheckInput, checkOnce } from '../../internal/app/check-once.ts';
import { describe, fail, printProblems } from './fail.ts';
import {
  classOption,
  hostGrantsOption,
  namespaceOption,
  policiesOption,
  workloadLabelsOption,
} from './policy-options.ts';

const EXIT_CODES = `
Exit codes: 0 for allow, 1 for any other decision, 2 for a mistake in flags or files. It is 2 too when a policy file or
object is wrong: what is printed is then not what its author meant.`;

/** `postern check`: one request in, the decision out; no server, no Envoy. */
export function checkCommand(): Command {
  return new Command('check')
    .description('Decide one request by the policies of a directory.')
    .argument('<url>', 'the request, as in http://localhost/v1/orders/7')
    .addOption(policiesOption())
    .addOption(classOption('class of the policies (default: postern; with --workload-labels it has to be given)'))
    .addOption(hostGrantsOption())
    .addOption(workloadLabelsOption())
    .addOption(namespaceOption())
    .option('-X, --method <method>', 'HTTP method', 'GET')
    .option(
      '-H, --header <name: value>',
      'a request header; may be repeated',
      (text, before) => [...before, text],
      EMPTY,
    )
    .option('-d, --data <text>', 'the body')
    .option('--client <address>', "the client's address", '192.0.2.1')
    .option('--now <time>', 'when it is asked, as in 2027-11-01T08:00:00Z (default: now)')
    .addHelpText('after', EXIT_CODES)
    .action(async (url: string, options: Omit<CheckInput, 'url'>) => {
      try {
        const input = { ...options, url, policies: resolve(options.policies) };
        const { isAllowed, answer, problems, notes } = await checkOnce(input);
        printProblems(problems, process.stderr);
        for (const note of notes) process.stderr.write(`warning: ${note}\n`);
        process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
        const wrong = problems.filter(({ severity }) => severity === 'error').length;
        if (wrong > 0) fail(2, [`${wrong} wrong in the policies, see above: the decision is made without them`]);
        process.exit(isAllowed ? 0 : 1);
      } catch (error) {
        fail(2, [describe(error)]);
      }
    });
}

const EMPTY: readonly string[] = [];
