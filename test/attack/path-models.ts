import { load } from '../cases/run-case.ts';

/** Upstreams that read one target each in its own way: the segments they would serve, or undefined for a refusal. */
const MODELS: Readonly<Record<string, (target: string) => string | undefined>> = {
  strict: (target) => resolveDots(pathOf(target)),
  nginx(target) {
    const decoded = decode(pathOf(target));
    return decoded === undefined || decoded.includes('\0') ? undefined : resolveDots(decoded.replaceAll(/\/+/g, '/'));
  },
  tomcat(target) {
    const bare = pathOf(target).replaceAll(/;[^/]*/g, '');
    const decoded = decode(bare);
    return decoded === undefined ? undefined : resolveDots(decoded.replaceAll('\\', '/').replaceAll(/\/+/g, '/'));
  },
  node(target) {
    const url = URL.parse(target, 'http://host');
    return url === null ? undefined : (decode(url.pathname) ?? url.pathname);
  },
  /** Decodes what its proxy decoded before, takes bytes as they come, and folds what looks alike. */
  twice(target) {
    const once = decode(pathOf(target));
    if (once === undefined) return undefined;
    const folded = leniently(once).normalize('NFKC').replaceAll('\\', '/').replaceAll(/\/+/g, '/');
    return resolveDots(folded.replaceAll(/;[^/]*/g, ''));
  },
};

const pathOf = (target: string): string => target.split(/[?#]/, 1)[0] ?? '';

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** Percent-decodes overlong UTF-8 as what it stands for; drops control characters and bytes that stand for nothing. */
function leniently(path: string): string {
  const shortest = path.replaceAll(/%c([01])%([89ab][0-9a-f])/gi, (_, high: string, low: string) =>
    String.fromCharCode((Number(high) << 6) | (Number.parseInt(low, 16) & 0x3f)),
  );
  const decoded = shortest.replaceAll(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString(),
  );
  return decoded.replaceAll(/[\p{Cc}\ufffd]/gu, '');
}

function resolveDots(path: string): string {
  const kept: string[] = [];
  for (const piece of path.split('/')) {
    if (piece === '..') kept.pop();
    else if (piece !== '.') kept.push(piece);
  }
  return kept.join('/');
}

/** What a policy denies, and whether an upstream that folds case, as some do, would serve it. */
const DENIES: readonly (readonly [string, RegExp])[] = [
  ['/admin/**', /^\/*admin(?:\/|$)/i],
  ['/admin', /^\/*admin\/?$/i],
];

const policy = (denied: string, options: string): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: api}
spec:
  target: {hosts: [api.example.org]${options}}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}, {name: no-admin, deny: {paths: ["${denied}"]}}]}
`;

const PIECES = [
  'admin',
  'ADMIN',
  'Admin',
  '%61dmin',
  'adm%69n',
  '%2561dmin',
  'public',
  'a',
  '..',
  '.',
  '%2e',
  '%2E',
  '%2e%2e',
  '.%2e',
  '%252e',
  '/',
  '//',
  '%2f',
  '%2F',
  '%252f',
  '\\',
  '%5c',
  '%255c',
  ';',
  ';x=1',
  ';x%2f',
  '%3b',
  '%00',
  '%c0%af',
  '%e2%80%a5',
  '%ef%bc%8f',
  '?',
  '#',
  '%23',
  '%3f',
  ' ',
  '%20',
  '%09',
  '+',
  '~',
  '%7e',
  '*',
  '%25',
  '%25c0%25ae',
  '%25ef%25bc%258f',
  '%25e2%2580%25a4',
  '%25c2%2585',
  '%2580',
];

/** Deterministic, so that a path that was found is found again. */
function* randomPaths(count: number, seed = 1): Generator<string> {
  let state = seed;
  const next = (most: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
  for (let i = 0; i < count; i += 1) {
    const pieces = Array.from({ length: 1 + next(6) }, () => PIECES[next(PIECES.length)] ?? '');
    yield `/${pieces.join(next(2) === 0 ? '/' : '')}`;
  }
}

/** Paths that Postern allows while one of the models lands in what the policy denies. */
export async function pathDisagreements(count: number): Promise<string[]> {
  const found = new Set<string>();
  for (const options of ['', ', pathOptions: {encodedSlash: Keep, semicolon: Keep}']) {
    for (const [denied, isDenied] of DENIES) {
      const loaded = await load(policy(denied, options));
      for (const target of randomPaths(count / 2)) {
        const { decision } = await loaded.check({ path: target });
        if (decision.outcome !== 'allow') continue;
        if (Object.values(MODELS).some((model) => isDenied.test(model(target) ?? ''))) found.add(target);
      }
    }
  }
  return [...found];
}
