import { resolve } from 'node:path';
import { Command } from 'commander';
import { runDev } from '../../internal/app/dev.ts';
import { exitCodeOf } from '../../internal/app/exit-code.ts';
import { describe, fail } from './fail.ts';
import { adminOption, debugOption, logLevelOption, policiesOption } from './policy-options.ts';

interface DevFlags {
  readonly policies: string;
  readonly port: string;
  readonly adminAddr: string;
  readonly debugAddr: string;
  readonly logLevel: string;
}

/** `postern dev` (= `npm start`): the agent on a directory, an upstream that echoes, and a real Envoy in front. */
export function devCommand(): Command {
  return new Command('dev')
    .description('Try policies behind a real Envoy on this machine.')
    .addOption(policiesOption())
    .option('--port <port>', "Envoy's port", '8000')
    .addOption(adminOption())
    .addOption(debugOption())
    .addOption(logLevelOption())
    .action(async ({ policies, port: portText, adminAddr, debugAddr, logLevel }: DevFlags) => {
      const port = /^[0-9]{1,5}$/.test(portText) ? Number(portText) : 0;
      if (port < 1 || port > 65_535) fail(2, [`--port "${portText}" is no port: write a number from 1 to 65535`]);
      try {
        process.exitCode = await runDev({
          policies: resolve(policies),
          port,
          adminAddress: adminAddr,
          debugAddress: debugAddr,
          logLevel,
          searchPath: process.env.PATH ?? '',
          say: (line) => process.stdout.write(`${line}\n`),
        });
      } catch (error) {
        fail(exitCodeOf(error), [describe(error)]);
      }
    });
}
