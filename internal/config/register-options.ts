import { type Command, Option as Flag, InvalidArgumentError } from 'commander';
import { variableOf } from './option.ts';
import { isOptionName, OPTION_NAMES, type OptionName, optionOf } from './options.ts';

/**
 * Gives a command every option of the table. Commander only gathers their texts, by option name: parsing, defaults and
 * the order of sources are `readConfig`'s, so `flagsOf` says exactly what was typed.
 */
export function registerOptions(command: Command): Command {
  for (const name of OPTION_NAMES) command.addOption(flagOf(name));
  return command;
}

function flagOf(name: OptionName): Flag {
  const { placeholder, choices, isList } = optionOf(name);
  const value = placeholder === undefined ? '[true|false]' : `<${choices?.join('|') ?? placeholder}>`;
  return new Flag(`--${name} ${value}`, helpOf(name)).argParser((text, before: unknown) => {
    if (before === undefined) return text;
    if (isList === true) return `${String(before)},${text}`;
    throw new InvalidArgumentError('It is given twice.');
  });
}

/** One line of `--help`: what it is, its default and its variable. */
export function helpOf(name: OptionName): string {
  const { doc, fallback, fallbackDoc } = optionOf(name);
  const byDefault = fallback ?? fallbackDoc;
  return `${doc} (${byDefault === undefined ? '' : `default: ${byDefault}; `}${variableOf(name)})`;
}

/** The flags of the table that were typed, by option name. */
export function flagsOf(command: Command): Record<string, string | boolean> {
  const typed: Record<string, string | boolean> = {};
  for (const flag of command.options) {
    const value: unknown = command.getOptionValue(flag.attributeName());
    if (!isOptionName(flag.name())) continue;
    if (typeof value === 'string' || typeof value === 'boolean') typed[flag.name()] = value;
  }
  return typed;
}
