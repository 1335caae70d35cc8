import { Command } from 'commander';
import { loadOffline } from '../../internal/app/offline.ts';
import { formatProblem } from '../../internal/files/format-problem.ts';
import { describe, fail } from './fail.ts';

const EDGE = {
  clientAddress: { kind: 'direct' },
  bodiesForwarded: true,
  transportTls: false,
  trustContextExtensions: true,
} as const;

/** `postern lint DIR`: everything a cluster would say of these files, before it has to. */
export function lintCommand(): Command {
  return new Command('lint')
    .description('Check policies in files; exits with 1 when something is wrong.')
    .argument('[directory]', 'where the files lie', 'policies')
    .option('--class <name>', 'class of the policies', 'postern')
    .option('--strict', 'warnings count as errors')
    .action(async (directory: string, options: { class: string; strict?: boolean }) => {
      try {
        const { problems, count, close } = await loadOffline({ directory, className: options.class, edge: EDGE });
        await close();
        for (const problem of problems) process.stdout.write(`${formatProblem(problem)}\n`);
        const wrong = problems.filter((problem) => options.strict === true || problem.severity !== 'warning').length;
        process.stdout.write(wrong === 0 ? `${count} objects, nothing wrong\n` : `${count} objects, ${wrong} wrong\n`);
        process.exit(wrong === 0 ? 0 : 1);
      } catch (error) {
        fail(2, [describe(error)]);
      }
    });
}
