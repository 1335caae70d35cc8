import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, it } from 'node:test';

const ROOT = resolve(import.meta.dirname, '..');

/** Who may import whom, by the first folder below `internal` that a file lies in. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  match: ['core'],
  phases: ['core', 'match'],
  policy: ['core', 'match', 'phases'],
  crd: ['core', 'policy'],
  files: ['core', 'policy'],
  listen: ['core'],
  extauthz: ['core', 'listen', 'policy', 'telemetry'],
  kube: ['core', 'policy'],
  counters: ['core', 'phases'],
  keys: ['core', 'phases'],
  telemetry: ['core', 'policy'],
  admin: ['core', 'listen', 'telemetry'],
  config: ['core'],
  envoy: ['core'],
  app: [
    'core',
    'match',
    'phases',
    'policy',
    'extauthz',
    'kube',
    'counters',
    'keys',
    'telemetry',
    'admin',
    'config',
    'files',
    'envoy',
    'crd',
  ],
};

/** Words that only their home may use: time, environment and output are arguments everywhere else. */
const BANNED: readonly { readonly pattern: RegExp; readonly homes: readonly RegExp[]; readonly why: string }[] = [
  {
    pattern: /\bprocess\.env\b/,
    homes: [/^internal\/config\//, /^internal\/telemetry\/tracing/, /^cmd\//],
    why: 'configuration is read once',
  },
  { pattern: /\bDate\.now\(|\bnew Date\(\)/, homes: [/^internal\/core\/clock\.ts$/], why: 'time is an argument' },
  {
    pattern: /\bperformance\.now\(/,
    homes: [/^internal\/core\/clock\.ts$/, /^internal\/envoy\//],
    why: 'time is an argument',
  },
  {
    pattern: /\bMath\.random\b/,
    homes: [/^internal\/app\//, /^internal\/extauthz\/grpc-door\.ts$/],
    why: 'chance is an argument',
  },
  { pattern: /\bconsole\./, homes: [], why: 'output goes through the log or the command line' },
  { pattern: /from 'prom-client'/, homes: [/^internal\/telemetry\//], why: 'metrics have one home' },
  { pattern: /from 'pino'/, homes: [/^internal\/telemetry\//], why: 'logs have one home' },
  { pattern: /from '@grpc\//, homes: [/^internal\/extauthz\//], why: 'behind the door are only bytes' },
  { pattern: /from '@kubernetes\//, homes: [/^internal\/kube\//], why: 'the cluster has one home' },
  { pattern: /\bexport default\b/, homes: [], why: 'exports have names' },
  { pattern: /@ts-ignore|@ts-nocheck|\bas any\b/, homes: [], why: 'types are not switched off' },
];

/** What knows the bytes of Envoy's messages. Beyond these files, behind `wire.ts`, nothing sees a proto. */
const WIRE_FILES: readonly string[] = [
  'read-check.ts',
  'removals.ts',
  'struct-reader.ts',
  'wire-headers.ts',
  'wire-peer.ts',
  'write-check.ts',
].map((name) => `internal/extauthz/${name}`);
const PROTO = /^internal\/extauthz\/proto-(?:reader|writer)\.ts$/;

const FORBIDDEN_NAMES = /(^|\/)(utils?|helpers?|common|misc|types|index)(\.ts|\/)|Manager\.ts$|Impl\.ts$/;

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

const isTest = (file: string): boolean => /\.(test|contract|fixture)\.ts$/.test(file);
const product = [...sources('internal'), ...sources('cmd')].filter((file) => !isTest(file));

/** Paths of files that a source names, in whatever form of import or export. */
const specifiersIn = (text: string): string[] =>
  [...text.matchAll(/\b(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) => match[1] ?? '');

function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return specifiersIn(text).map((specifier) => relative(ROOT, resolve(ROOT, dirname(file), specifier)));
}

const folderOf = (file: string): string | undefined => /^internal\/([^/]+)\//.exec(file)?.[1];

describe('the architecture', () => {
  it('sees imports in every form', () => {
    for (const source of [
      "import { a } from './x.ts'",
      "import type { A } from './x.ts'",
      "import a, {\n  b,\n} from './x.ts'",
      "import './x.ts'",
      "import\n  './x.ts'",
      "await import('./x.ts')",
      "await import(\n  './x.ts',\n)",
      "export { a } from './x.ts'",
      "export * from './x.ts'",
    ])
      assert.deepEqual(specifiersIn(`${source};`), ['./x.ts'], source);
  });

  it('lets only the wire files see protos', () => {
    const seeing = product.filter((file) => !PROTO.test(file) && importsOf(file).some((target) => PROTO.test(target)));
    assert.deepEqual(seeing.sort(), WIRE_FILES);
  });

  it('lets imports point inwards only', () => {
    const wrong: string[] = [];
    for (const file of product.filter((name) => name.startsWith('internal/'))) {
      const from = folderOf(file) ?? '';
      for (const target of importsOf(file)) {
        const to = folderOf(target);
        const isAllowed = to !== undefined && (to === from || (ARROWS[from] ?? []).includes(to));
        if (!isAllowed) wrong.push(`${file} imports ${target}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('keeps the phases apart from each other', () => {
    const phaseOf = (file: string): string | undefined => /^internal\/phases\/([^/]+)\//.exec(file)?.[1];
    const wrong = product.flatMap((file) => {
      const from = phaseOf(file);
      if (from === undefined) return [];
      return importsOf(file)
        .filter((target) => phaseOf(target) !== undefined && phaseOf(target) !== from)
        .map((target) => `${file} imports ${target}`);
    });
    assert.deepEqual(wrong, []);
  });

  it('gives every folder under internal its row', () => {
    const folders = readdirSync(join(ROOT, 'internal'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    assert.deepEqual(
      folders.map((entry) => entry.name).filter((name) => ARROWS[name] === undefined),
      [],
    );
  });

  for (const { pattern, homes, why } of BANNED) {
    it(`keeps ${pattern.source} at home: ${why}`, () => {
      const wrong = product.filter(
        (file) => !homes.some((home) => home.test(file)) && pattern.test(readFileSync(join(ROOT, file), 'utf8')),
      );
      assert.deepEqual(wrong, []);
    });
  }

  it('uses no name that says nothing', () => {
    assert.deepEqual(
      [...product, ...sources('test')].filter((file) => FORBIDDEN_NAMES.test(file)),
      [],
    );
  });

  it('lets only the engine make an allow', () => {
    const makers = product.filter((file) =>
      /\boutcome\b['"]?\s*[:=]\s*['"`]allow['"`](?!\s*\|)/.test(readFileSync(join(ROOT, file), 'utf8')),
    );
    assert.deepEqual(makers, ['internal/policy/evaluate.ts']);
  });
});
