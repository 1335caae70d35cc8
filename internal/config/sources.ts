import { dirname, resolve } from 'node:path';
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { nearestHint } from './nearest-hint.ts';
import { variableOf } from './option.ts';
import { isOptionName, OPTION_NAMES, type OptionName, optionOf } from './options.ts';

/** An option's text and where it was written, as messages name it: `--class`, `POSTERN_CLASS`, `postern.yaml:3 class`. */
export interface Given {
  readonly text: string;
  readonly origin: string;
}

export type GivenOptions = Map<OptionName, Given>;

const FLAGS = OPTION_NAMES.map((name) => `--${name}`);
const VARIABLES = OPTION_NAMES.map(variableOf);
const VARIABLE = /^POSTERN_/;
/**
 * Variables that Kubernetes sets for every Service of a namespace, here for Services called `postern` or `postern-…`:
 * they are never options, and no option may have such a name.
 */
const SERVICE_LINK =
  /^POSTERN_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
const MAX_FILE_BYTES = 256 * 1024;

export const isServiceLink = (variable: string): boolean => SERVICE_LINK.test(variable);

/** Flags as the command line holds them: a switch without a value is `true`. */
export function fromFlags(flags: Readonly<Record<string, string | boolean>>, problems: string[]): GivenOptions {
  const given: GivenOptions = new Map();
  for (const [name, value] of Object.entries(flags)) {
    if (isOptionName(name)) give(given, name, { text: String(value), origin: `--${name}` }, problems);
    else problems.push(`Unknown flag "--${name}"${nearestHint(`--${name}`, FLAGS)}`);
  }
  return given;
}

/** The `POSTERN_*` variables; others are not looked at. */
export function fromVariables(env: Readonly<Record<string, string | undefined>>, problems: string[]): GivenOptions {
  const given: GivenOptions = new Map();
  for (const [variable, text] of Object.entries(env)) {
    if (text === undefined || !VARIABLE.test(variable) || isServiceLink(variable)) continue;
    const name = OPTION_NAMES.find((option) => variableOf(option) === variable);
    if (name !== undefined) give(given, name, { text, origin: variable }, problems);
    else problems.push(`Unknown variable "${variable}"${nearestHint(variable, VARIABLES)}`);
  }
  return given;
}

/**
 * The options of a YAML file: one mapping, read strictly; lists of scalars where the option is a list. Its paths count
 * from its own folder, wherever the agent is started.
 */
export function fromFile(text: string, path: string, problems: string[]): GivenOptions {
  const given: GivenOptions = new Map();
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
    problems.push(`"${path}" is larger than ${MAX_FILE_BYTES} bytes`);
    return given;
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, schema: 'core', prettyErrors: false });
  for (const { message, pos } of [...document.errors, ...document.warnings]) {
    problems.push(`${path}:${lines.linePos(pos[0]).line}: ${message}`);
  }
  if (document.errors.length > 0 || document.contents === null) return given;
  if (!isMap(document.contents)) {
    problems.push(`${path}:1: The file must be a mapping of options, as in "class: postern"`);
    return given;
  }
  const folder = dirname(path);
  const first = new Map<string, number>();
  for (const { key, value } of document.contents.items) {
    const line = isScalar(key) ? lines.linePos(key.range?.[0] ?? 0).line : undefined;
    const at = line === undefined ? path : `${path}:${line}`;
    const name = isScalar(key) ? String(key.source ?? key.value) : '';
    const before = first.get(name);
    if (before !== undefined)
      problems.push(`${at}: "${name}" stands here a second time: take it out here or in line ${before}`);
    else takeEntry(name, value, { given, at, folder, problems });
    if (line !== undefined) first.set(name, before ?? line);
  }
  return given;
}

interface FileEntry {
  readonly given: GivenOptions;
  readonly at: string;
  readonly folder: string;
  readonly problems: string[];
}

function takeEntry(name: string, node: unknown, { given, at, folder, problems }: FileEntry): void {
  if (!isOptionName(name) || name === 'config') {
    const known = OPTION_NAMES.filter((option) => option !== 'config');
    problems.push(`${at}: Unknown option "${name}"${nearestHint(name, known)}`);
    return;
  }
  const { isList, isPath } = optionOf(name);
  const text = textOf(node, isList === true);
  if (text === undefined) {
    problems.push(`${at}: ${name} must be ${isList === true ? 'a value or a list' : 'one value'}`);
    return;
  }
  const meant = isPath === true && text !== '' ? resolve(folder, text) : text;
  give(given, name, { text: meant, origin: `${at}: ${name}` }, problems);
}

/** A scalar as it is spelt, so that YAML's own reading of numbers and words changes nothing. */
function textOf(node: unknown, isList: boolean): string | undefined {
  if (isScalar(node)) return typeof node.value === 'string' ? node.value : (node.source ?? '');
  if (!isList || !isSeq(node)) return undefined;
  const parts = node.items.map((item) => textOf(item, false));
  return parts.every((part) => part !== undefined) ? parts.join(',') : undefined;
}

/** An empty value is refused: taken for "not given" it could switch off what the operator meant to switch on. */
function give(given: GivenOptions, name: OptionName, value: Given, problems: string[]): void {
  if (value.text === '') problems.push(`${value.origin} is empty: give it a value, or leave it out`);
  else given.set(name, value);
}
