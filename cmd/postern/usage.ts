import type { Command, CommanderError } from 'commander';
import { nearestHint } from '../../internal/config/nearest-hint.ts';

/** The flag without its value, which may be a secret meant for another flag. */
const UNKNOWN_FLAG = /unknown option '(--?[^'=]*)/;
const UNKNOWN_COMMAND = /unknown command '([^']*)'/;
const USAGE_ERROR = 2;

/** Makes a command and those below it say every mistake in their use in one form, and end with 2. */
export function sayUsageErrors(command: Command): void {
  command
    .showSuggestionAfterError(false)
    .exitOverride(({ exitCode }: CommanderError) => process.exit(exitCode === 0 ? 0 : USAGE_ERROR))
    .configureOutput({ outputError: (text, write) => write(`error: ${sentence(text, command)}\n`) })
    .on('beforeHelp', () => refuseUnknown(command));
  for (const below of command.commands) sayUsageErrors(below);
}

/** Help that is asked for a command that does not exist is not help for the one above it. */
function refuseUnknown(command: Command): void {
  const [first, second] = command.args;
  const word = first === 'help' ? second : first;
  if (word === undefined || word.startsWith('-') || command.commands.length === 0) return;
  if (!namesOf(command).includes(word)) command.error(`error: unknown command '${word}'`);
}

function sentence(text: string, command: Command): string {
  const flag = UNKNOWN_FLAG.exec(text)?.[1];
  if (flag !== undefined) return `Unknown flag "${flag}"${nearestHint(flag, flagsOf(command))}`;
  const word = UNKNOWN_COMMAND.exec(text)?.[1];
  if (word !== undefined) return `Unknown command "${word}"${nearestHint(word, namesOf(command))}`;
  // The arguments themselves are not repeated: one may be a header's value that lost its quotes.
  const said = text
    .trim()
    .replace(/^error: /, '')
    .replace(/(but got \d+): .*/s, '$1');
  return `${said.charAt(0).toUpperCase()}${said.slice(1).replace(/\.$/, '')}; see --help`;
}

const flagsOf = (command: Command): string[] => [
  '--help',
  ...command.options.flatMap(({ long }) => (typeof long === 'string' ? [long] : [])),
];

const namesOf = (command: Command): string[] => ['help', ...command.commands.map((below) => below.name())];
