#!/usr/bin/env node
import { Command } from 'commander';
import { VERSION } from '../../internal/app/version.ts';
import { checkCommand } from './check.ts';
import { devCommand } from './dev.ts';
import { keysCommand } from './keys.ts';
import { lintCommand } from './lint.ts';
import { serveCommand } from './serve.ts';
import { versionCommand } from './version.ts';

const program = new Command('postern')
  .description('The policy agent beside Envoy.')
  .version(VERSION, '-V, --version', 'print the version')
  .helpCommand(false)
  .showHelpAfterError('(see --help)');
for (const command of [serveCommand(), devCommand(), checkCommand(), lintCommand(), keysCommand(), versionCommand()])
  program.addCommand(command);
await program.parseAsync();
