import { Command } from 'commander';
import { runDev } from '../../internal/app/dev.ts';
import { describe, fail } from './fail.ts';

/** `postern dev` (= `npm start`): the agent on a directory, an upstream that echoes, and a real Envoy in front. */
export function devCommand(): Command {
  return new Command('dev')
    .description('Try policies behind a real Envoy on this machine.')
    .option('--policies <dir>', 'where the files lie', 'policies')
    .option('--port <port>', "Envoy's port", '8000')
    .option('--admin-addr <address>', 'where the metrics are', '127.0.0.1:9193')
    .option('--debug-addr <address>', 'where it says what is loaded', '127.0.0.1:9194')
    .action(async (options: { policies: string; port: string; adminAddr: string; debugAddr: string }) => {
      try {
        const port = Number(options.port);
        if (!Number.isInteger(port) || port < 1 || port > 65_535)
          fail(2, [`--port is "${options.port}": write a number from 1 to 65535`]);
        await runDev({
          policies: options.policies,
          port,
          adminAddress: options.adminAddr,
          debugAddress: options.debugAddr,
          searchPath: process.env.PATH ?? '',
          say: (line) => process.stdout.write(`${line}\n`),
        });
      } catch (error) {
        fail(1, [describe(error)]);
      }
    });
}
