import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalPath, spellPath } from '../internal/core/canonical-path.ts';
import { type Loaded, load } from './cases/run-case.ts';

const ALLOWS: readonly string[] = [
  '{any: {}}',
  '{paths: ["/{id}", "/{id}/**"], when: [{expression: "request.params.id != \'secret\'"}]}',
  '{paths: ["/{area}/{id}/**"], when: [{expression: "request.params.id == \'a\'"}]}',
  '{when: [{expression: "request.params.first == \'a\' || int(request.params.first) > 0"}]}',
  "{when: [{expression: \"request.path != '/secret' && !request.path.endsWith('/b')\"}]}",
];
const DENIES: readonly string[] = [
  '{paths: [/secret]}',
  '{paths: ["/{area}/{id}"], when: [{expression: "request.params.area == request.params.id"}]}',
  '{paths: ["/secret/**"], when: [{expression: "request.path.endsWith(\'/a\')"}]}',
  '{when: [{expression: "request.params.first == \'secret\'"}]}',
  '{when: [{expression: "int(request.params.first) == 0"}]}',
];

function policy(host: string, allow: string, deny?: string): string {
  const rules = [`{name: a, allow: ${allow}}`, ...(deny === undefined ? [] : [`{name: b, deny: ${deny}}`])];
  return `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: ${host}}
spec:
  target:
    hosts: [${host}]
    paths: ["/{first}/**"]
    pathOptions: {encodedSlash: Keep, semicolon: Keep}
  authentication: {anonymous: {}}
  authorization: {rules: [${rules.join(', ')}]}
`;
}

const PAIRS = ALLOWS.flatMap((allow, a) =>
  DENIES.map((deny, d) => ({ allow, deny, without: `a${a}.test`, withDeny: `a${a}-d${d}.test` })),
);
const HOSTS = [...ALLOWS.map((_, a) => `a${a}.test`), ...PAIRS.map(({ withDeny }) => withDeny)];

const loadAll = (): Promise<Loaded> =>
  load(
    [
      ...ALLOWS.map((allow, a) => policy(`a${a}.test`, allow)),
      ...PAIRS.map(({ allow, deny, withDeny }) => policy(withDeny, allow, deny)),
    ].join('---'),
  );

const PATHS = fc
  .array(fc.constantFrom('a', 'b', 'secret', '0', '/', '/', '%2f', '%2F', ';', ';x', '%3b'), { maxLength: 9 })
  .map((pieces) => `/${pieces.join('')}`);

describe('a path with several readings', async () => {
  const loaded = await loadAll();
  const isAllowed = async (host: string, path: string): Promise<boolean> =>
    (await loaded.check({ host, path })).decision.outcome === 'allow';

  it('is allowed no more where a deny is added', async () => {
    await fc.assert(
      fc.asyncProperty(PATHS, fc.constantFrom(...PAIRS), async (path, { without, withDeny }) => {
        if (await isAllowed(withDeny, path)) assert.ok(await isAllowed(without, path), `${withDeny} ${path}`);
      }),
      { numRuns: 3000 },
    );
  });

  it('is allowed only where every reading of it is, sent as its own path', async () => {
    await fc.assert(
      fc.asyncProperty(PATHS, fc.constantFrom(...HOSTS), async (path, host) => {
        if (!(await isAllowed(host, path))) return;
        const canonical = canonicalPath(path);
        assert.ok(canonical.ok);
        for (const reading of canonical.readings.others)
          assert.ok(await isAllowed(host, spellPath(reading)), `${host} ${path} ${spellPath(reading)}`);
      }),
      { numRuns: 5000 },
    );
  });
});
