import { Command } from 'commander';
import { VERSION } from '../../internal/app/version.ts';

/** `postern version`. */
export function versionCommand(): Command {
  return new Command('version').description('Print the versions of Postern and of Node.').action(() => {
    process.stdout.write(`postern ${VERSION} (node ${process.versions.node})\n`);
  });
}
