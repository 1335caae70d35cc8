import { load } from '../cases/run-case.ts';

/** Four upstreams that read one target each in its own way: the segments they would serve, or undefined for a refusal. */
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
};

const pathOf = (target: string): string => target.split(/[?#]/, 1)[0] ?? '';

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function resolveDots(path: string): string {
  const kept: string[] = [];
  for (const piece of path.split('/')) {
    if (piece === '..') kept.pop();
    else if (piece !== '.') kept.push(piece);
  }
  return kept.join('/');
}

/** Whether an upstream that folds case, as some do, would serve something below /admin. */
const isProtected = (path: string | undefined): boolean => path !== undefined && /^\/*admin(?:\/|$)/i.test(path);

const POLICIES = (options: string): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: api}
spec:
  target: {hosts: [api.example.org]${options}}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}, {name: no-admin, deny: {paths: ["/admin/**"]}}]}
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

/** Paths that Postern allows while one of the models lands in the protected prefix. */
export async function pathDisagreements(count: number): Promise<string[]> {
  const found: string[] = [];
  for (const options of ['', ', pathOptions: {encodedSlash: Keep, semicolon: Keep}']) {
    const loaded = await load(POLICIES(options));
    for (const target of randomPaths(count / 2)) {
      const { decision } = await loaded.check({ path: target });
      if (decision.outcome !== 'allow') continue;
      if (Object.values(MODELS).some((model) => isProtected(model(target)))) found.push(target);
    }
  }
  return found;
}
