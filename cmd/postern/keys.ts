import { Command } from 'commander';
import { newApiKey } from '../../internal/app/api-key.ts';

/** `postern keys new`: a key for a client and the digest for its APIConsumer. */
export function keysCommand(): Command {
  const create = new Command('new')
    .description('Make an API key and the digest that goes into an APIConsumer.')
    .option('--prefix <text>', 'letters, digits and "_" in front of the key', 'pk')
    .action(({ prefix }: { prefix: string }, command: Command) => {
      if (!/^[A-Za-z0-9_]{1,32}$/.test(prefix))
        command.error(`error: --prefix is "${prefix}": write up to 32 letters, digits and "_"`);
      const { key, sha256 } = newApiKey(prefix);
      process.stdout.write(
        `key:    ${key}\nsha256: ${sha256}\n\nGive the key to the client; it cannot be shown again. Into the APIConsumer goes:\n\n  keys:\n    - name: k1\n      sha256: ${sha256}\n`,
      );
    });
  return new Command('keys').description('API keys.').addCommand(create);
}
