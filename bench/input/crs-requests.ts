import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Place } from '../../internal/threats/scan.ts';
import { run } from '../../test/components/cache.ts';
import { goEnvironment, goProgram } from '../../test/components/go.ts';

/** The release of the OWASP Core Rule Set whose regression requests are read, out of the Go module that carries it. */
const MODULE = 'github.com/corazawaf/coraza-coreruleset/v4@v4.25.0';
const SUM = 'h1:tqFO1lfVpTiyWtlN618OXpZMfw+nnN0Q4///W5W+/HM=';

/** One regression request: what a rule of CRS must find, or must not. */
export interface CrsCase {
  readonly id: string;
  readonly paranoia: number;
  readonly isAttack: boolean;
  readonly values: readonly (readonly [Place, string])[];
}

interface Download {
  readonly Dir: string;
  readonly Sum: string;
}
interface Input {
  readonly uri?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly data?: string;
  readonly encoded_request?: string;
}
interface Stage {
  readonly input: Input;
  readonly output: { readonly log?: { readonly expect_ids?: readonly number[] } };
}
interface Suite {
  readonly rule_id: number;
  readonly tests: readonly { readonly test_id: number; readonly stages: readonly Stage[] }[];
}

/** The folder of the release, fetched through the Go module proxy; nothing of it is part of this repository. */
export async function obtainCrs(): Promise<string> {
  const { stdout } = await run(await goProgram(), ['mod', 'download', '-json', MODULE], { env: goEnvironment() });
  const { Dir, Sum } = JSON.parse(stdout) as Download;
  if (Sum !== SUM) throw new Error(`${MODULE} has the sum ${Sum}, and should have ${SUM}`);
  return Dir;
}

/** All requests of one rule file, as `942-APPLICATION-ATTACK-SQLI`. */
export function readCrs(folder: string, group: string): readonly CrsCase[] {
  const paranoia = paranoiaOf(readFileSync(join(folder, `rules/@owasp_crs/REQUEST-${group}.conf`), 'utf8'));
  const tests = join(folder, `tests/REQUEST-${group}`);
  return readdirSync(tests).flatMap((file) => {
    const suite = parse(readFileSync(join(tests, file), 'utf8')) as Suite;
    return suite.tests.map(({ test_id, stages }) => ({
      id: `${suite.rule_id}-${test_id}`,
      paranoia: paranoia.get(suite.rule_id) ?? 0,
      isAttack: stages.some(({ output }) => (output.log?.expect_ids ?? []).includes(suite.rule_id)),
      values: stages.flatMap(({ input }) => valuesOf(input)),
    }));
  });
}

function paranoiaOf(rules: string): ReadonlyMap<number, number> {
  const levels = new Map<number, number>();
  for (const rule of rules.split(/^SecRule /m)) {
    const id = /\bid:(\d+)/.exec(rule)?.[1];
    const level = /paranoia-level\/(\d)/.exec(rule)?.[1];
    if (id !== undefined && level !== undefined) levels.set(Number(id), Number(level));
  }
  return levels;
}

/** Every value and name of a request, decoded once, as the phase will hand them on. */
function valuesOf(input: Input): (readonly [Place, string])[] {
  const [path = '', ...rest] = (input.uri ?? '/').split('?');
  const headers = Object.entries(input.headers ?? {}).map(
    ([name, value]) => [name.toLowerCase(), String(value)] as const,
  );
  const type = headers.find(([name]) => name === 'content-type')?.[1] ?? '';
  return [
    ...[path, ...path.split('/')].map((part) => [{ in: 'path', name: '' }, decode(part, false)] as const),
    ...pairs(rest.join('?'), '&', 'query'),
    ...headers.flatMap(([name, value]) =>
      name === 'cookie' ? pairs(value, ';', 'cookie') : [[{ in: 'header', name }, value] as const],
    ),
    ...bodyValues(input.data ?? '', type),
  ];
}

function bodyValues(data: string, type: string): (readonly [Place, string])[] {
  if (data === '') return [];
  if (type.includes('json')) {
    try {
      return jsonValues(JSON.parse(data), '');
    } catch {
      return [[{ in: 'body', name: '' }, data]];
    }
  }
  if (type !== '' && !type.includes('urlencoded')) return [[{ in: 'body', name: '' }, data]];
  return pairs(data, '&', 'body');
}

function jsonValues(value: unknown, pointer: string): (readonly [Place, string])[] {
  if (typeof value === 'string') return [[{ in: 'body', name: pointer }, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [
    [{ in: 'body', name: `${pointer}/${key}` }, key] as const,
    ...jsonValues(item, `${pointer}/${key}`),
  ]);
}

function pairs(text: string, separator: string, where: Place['in']): (readonly [Place, string])[] {
  return text.split(separator).flatMap((pair) => {
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals), where !== 'cookie');
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1), where !== 'cookie');
    return [name, value].filter((part) => part !== '').map((part) => [{ in: where, name }, part] as const);
  });
}

/** Once, as lenient servers do: what is no encoding stays as it is. */
function decode(text: string, isForm: boolean): string {
  const spaced = isForm ? text.replaceAll('+', ' ') : text;
  try {
    return decodeURIComponent(spaced.trim());
  } catch {
    return unescape(spaced.trim());
  }
}
