import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, it } from 'node:test';

const ROOT = resolve(import.meta.dirname, '..');

/**
 * Who may import whom, by the first folder below `internal` that a file lies in: a folder or a file there, all of it or
 * its types alone.
 */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  match: ['core'],
  threats: ['core'],
  phases: ['core', 'match', 'threats'],
  policy: ['core', 'match', 'phases'],
  crd: ['core', 'policy'],
  inject: ['core'],
  files: ['core', 'policy'],
  listen: ['core'],
  http2: ['core', 'listen'],
  extauthz: ['core', 'http2', 'listen', 'policy', 'telemetry'],
  kube: ['core', 'type policy', 'policy/resource/kinds.ts', 'policy/unserved.ts'],
  counters: ['core', 'type phases/ratelimit/counter-store.ts'],
  keys: ['core', 'type phases/authn/key-source.ts'],
  telemetry: ['core', 'type policy'],
  admin: ['core', 'listen', 'telemetry'],
  config: ['core'],
  workers: [
    'core',
    'listen',
    'type policy',
    'policy/store.ts',
    'policy/unread-spec.ts',
    'type phases/authn/consumers.ts',
    'type telemetry',
  ],
  envoy: ['core'],
  app: [
    'core',
    'match',
    'phases',
    'policy',
    'listen',
    'workers',
    'http2',
    'extauthz',
    'kube',
    'counters',
    'keys',
    'telemetry',
    'admin',
    'config',
    'files',
    'envoy',
    'inject',
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
    homes: [/^internal\/app\//, /^internal\/extauthz\/(grpc|native)-door\.ts$/],
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
  'known-answers.ts',
  'read-check.ts',
  'removals.ts',
  'response-headers.ts',
  'response-metadata.ts',
  'struct-reader.ts',
  'wire-extensions.ts',
  'wire-headers.ts',
  'wire-http.ts',
  'wire-peer.ts',
  'write-check.ts',
].map((name) => `internal/extauthz/${name}`);
const PROTO = /^internal\/extauthz\/proto-(?:reader|writer)\.ts$/;

/** Lines of a file that can still be read whole. */
const MAX_LINES = 250;
/** Longer ones, and why they stay so. */
const LONG_FILES: Readonly<Record<string, string>> = {
  'internal/http2/call.ts': 'a call from its head to its end: what may follow what is read in one place',
  'internal/http2/connection.ts': 'how a connection begins, reads, writes and ends, which depend on each other',
  'internal/http2/incoming.ts': 'every kind of frame, one after the other',
};

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

/** Those of which a file takes types alone: nothing of them is in the program. */
function typeImportsOf(file: string): ReadonlySet<string> {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const targets = (statement: RegExp): string[] =>
    [...text.matchAll(statement)].map(([, specifier = '']) => relative(ROOT, resolve(ROOT, dirname(file), specifier)));
  const types = new Set(targets(/^(?:import|export) type [^;']* from '(\.[^']+)'/gm));
  for (const target of targets(/(?:^(?:import|export) (?!type )(?:[^;']* from )?|\bimport\()'(\.[^']+)'/gm))
    types.delete(target);
  return types;
}

/** Whether a row of the table lets something be imported. */
const allows = (row: readonly string[], target: string, isType: boolean): boolean =>
  row.some((entry) => {
    const place = `internal/${entry.replace(/^type /, '')}`;
    return (isType || !entry.startsWith('type ')) && (target === place || target.startsWith(`${place}/`));
  });

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
      const types = typeImportsOf(file);
      for (const target of importsOf(file)) {
        const isAllowed = folderOf(target) === from || allows(ARROWS[from] ?? [], target, types.has(target));
        if (!isAllowed) wrong.push(`${file} imports ${target}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('tells types from the rest, and a port from the phase that it belongs to', () => {
    const { counters = [], telemetry = [] } = ARROWS;
    const port = 'internal/phases/ratelimit/counter-store.ts';
    const evaluate = 'internal/policy/evaluate.ts';
    assert.deepEqual(
      [allows(counters, port, true), allows(counters, port, false), allows(counters, `${port.slice(0, -3)}s.ts`, true)],
      [true, false, false],
    );
    assert.deepEqual([allows(telemetry, evaluate, true), allows(telemetry, evaluate, false)], [true, false]);
    assert.ok(typeImportsOf('internal/telemetry/observer.ts').has('internal/policy/checked.ts'));
    assert.equal(typeImportsOf('internal/app/agent.ts').has(evaluate), false);
  });

  it('keeps files so short that they are read whole, but for those which are named with a reason', () => {
    const long = product.filter((file) => readFileSync(join(ROOT, file), 'utf8').split('\n').length - 1 > MAX_LINES);
    assert.deepEqual(
      long.filter((file) => LONG_FILES[file] === undefined),
      [],
    );
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
