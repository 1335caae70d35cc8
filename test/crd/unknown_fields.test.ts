import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { structuralSchema } from '../../internal/crd/structural-schema.ts';
import { KINDS, type KindName } from '../../internal/policy/resource/kinds.ts';
import type { ApiServer } from '../components/api-server.ts';
import { requireComponent } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { post, startCrdCluster } from './crd-cluster.ts';
import { FULL_SPECS, type FullSpec } from './full-specs.ts';
import { fieldsOf, pathOf, placeOf, renamed, valuesOf, type Way, withValue } from './spec-places.ts';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const fields = (kind: KindName) => [...fieldsOf(structuralSchema(KINDS[kind].spec))];
/** Maps hold what their author likes: no field of theirs is unknown. */
const isMap = (kind: KindName, way: Way): boolean =>
  fields(kind).some(([place, schema]) => place === placeOf(way) && schema.additionalProperties !== undefined);
const objectsOf = ({ kind, spec }: FullSpec): readonly Way[] =>
  [...valuesOf(spec)].filter(([way, value]) => isObject(value) && !isMap(kind, way)).map(([way]) => way);
const namesOf = ({ kind, spec }: FullSpec): readonly Way[] =>
  [...valuesOf(spec)]
    .map(([way]) => way)
    .filter((way) => typeof way.at(-1) === 'string' && !isMap(kind, way.slice(0, -1)));

describe('a field that nobody knows, from a client that is not strict', async () => {
  const found = await obtainKubernetes();
  let api: ApiServer;

  before(async () => {
    if ('path' in found) api = await startCrdCluster(found.path);
  });
  after(async () => api?.stop());

  it('is tried in every field of every kind', () => {
    for (const kind of Object.keys(KINDS) as KindName[]) {
      const specs = FULL_SPECS.filter((full) => full.kind === kind);
      const reached = new Set(specs.flatMap(({ spec }) => [...valuesOf(spec)].map(([way]) => placeOf(way))));
      assert.deepEqual(
        fields(kind)
          .map(([place]) => place)
          .filter((place) => !reached.has(place)),
        [],
      );
    }
  });

  for (const full of FULL_SPECS) {
    const { kind, spec } = full;
    const name = 'unknown-1';

    it(`is alone what is wrong: ${kind} of ${Object.keys(spec).join(', ')}`, async (t) => {
      if (requireComponent(found, t) === undefined) return;
      assert.equal(await post(api, { kind, name, spec }), undefined);
    });

    it('is refused by the admission policy at every object, with its path', async (t) => {
      if (requireComponent(found, t) === undefined) return;
      for (const way of objectsOf(full)) {
        for (const value of ['x', null]) {
          const wrong = withValue(spec, way, (object) => ({ ...(object as object), 'un-known': value }));
          const said = (await post(api, { kind, name, spec: wrong })) ?? 'accepted';
          assert.match(said, /^\w+\.postern\.dev "unknown-1" is forbidden: ValidatingAdmissionPolicy/);
          assert.ok(
            said.includes(`denied request: unknown field ${pathOf(way)}.un-known; `),
            `${pathOf(way)}: ${said}`,
          );
        }
      }
    });

    it('is refused wherever it is a known one misspelt', async (t) => {
      if (requireComponent(found, t) === undefined) return;
      for (const way of namesOf(full)) {
        const said = await post(api, { kind, name, spec: renamed(spec, way, `${way.at(-1)}x`) });
        assert.ok(said?.includes(pathOf(way.slice(0, -1))), `${pathOf(way)}: ${said ?? 'accepted'}`);
      }
    });
  }
});
