import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command, CommanderError } from 'commander';
import { OPTION_NAMES } from './options.ts';
import { flagsOf, registerOptions } from './register-options.ts';

function parse(...words: string[]): { flags: Record<string, string | boolean>; said: string } {
  let said = '';
  const command = registerOptions(new Command('serve').exitOverride());
  command.configureOutput({
    writeErr: (text) => {
      said += text;
    },
  });
  try {
    command.parse(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
  }
  return { flags: flagsOf(command), said };
}

describe('registerOptions()', () => {
  it('gathers what was typed and nothing else', () => {
    assert.deepEqual(parse('--kube', '--grpc-addr=:1', '--trust-context-extensions=false', '--class', 'x').flags, {
      kube: true,
      'grpc-addr': ':1',
      'trust-context-extensions': 'false',
      class: 'x',
    });
  });

  it('joins a list that is given in parts', () => {
    assert.deepEqual(parse('--namespace', 'shop', '--namespace=web,db').flags, { namespace: 'shop,web,db' });
  });

  it('refuses a flag that is given twice', () => {
    assert.match(parse('--client-ca=a', '--client-ca=b').said, /--client-ca.*given twice/s);
  });

  it('describes every option with its default and its variable', () => {
    const help = registerOptions(new Command('serve')).configureHelp({ helpWidth: 4000 }).helpInformation();
    assert.deepEqual(
      OPTION_NAMES.filter((name) => !new RegExp(`--${name} .*POSTERN_[A-Z_]+\\)`).test(help)),
      [],
    );
  });
});
