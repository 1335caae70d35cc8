import { Command, InvalidArgumentError } from 'commander';
import { type CheckInput, checkOnce } from '../../internal/app/check-once.ts';
import { formatProblem } from '../../internal/files/format-problem.ts';
import { describe, fail } from './fail.ts';

function addHeader(text: string, before: readonly [string, string][]): [string, string][] {
  const colon = text.indexOf(':');
  if (colon < 1) throw new InvalidArgumentError('Write it as "name: value".');
  return [...before, [text.slice(0, colon).trim().toLowerCase(), text.slice(colon + 1).trim()]];
}

/** `postern check`: one request in, the decision out; no server, no Envoy. */
export function checkCommand(): Command {
  return new Command('check')
    .description('Decide one request by the policies of a directory; exits with 0 for allow, 1 for anything else.')
    .argument('<url>', 'the request, as in http://localhost/v1/orders/7')
    .option('--policies <dir>', 'where the files lie', 'policies')
    .option('--class <name>', 'class of the policies', 'postern')
    .option('-X, --method <method>', 'HTTP method', 'GET')
    .option('-H, --header <name: value>', 'a request header; may be repeated', addHeader, [])
    .option('-d, --data <text>', 'the body')
    .option('--client <address>', "the client's address", '192.0.2.1')
    .action(async (url: string, options: Omit<CheckInput, 'url'>) => {
      try {
        const { isAllowed, answer, problems } = await checkOnce({ url, ...options });
        for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
        process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
        process.exit(isAllowed ? 0 : 1);
      } catch (error) {
        fail(2, [describe(error)]);
      }
    });
}
