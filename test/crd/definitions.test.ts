import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { definition } from '../../internal/crd/generate.ts';
import type { Json } from '../../internal/crd/structural-schema.ts';
import { API_VERSION, GROUP, KINDS, type KindName, VERSION } from '../../internal/policy/resource/kinds.ts';
import type { ApiServer } from '../components/api-server.ts';
import { requireComponent } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { startCrdCluster } from './crd-cluster.ts';
import { fieldsOf } from './spec-places.ts';

const NAMES = Object.keys(KINDS) as KindName[];
const RULES = 'x-kubernetes-validations';

/** The definition with every rule so many times over, which costs as often as much. */
function withRules(value: unknown, factor: number): unknown {
  if (Array.isArray(value)) return value.map((item) => withRules(item, factor));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, member]) => {
    if (key !== RULES) return [key, withRules(member, factor)];
    const rules = member as readonly { readonly rule: string }[];
    return [key, rules.map((rule) => ({ ...rule, rule: Array(factor).fill(`(${rule.rule})`).join(' && ') }))];
  });
  return Object.fromEntries(members) as unknown;
}

describe('the definitions, as an API server has them', async () => {
  const found = await obtainKubernetes();
  let api: ApiServer;

  before(async () => {
    if ('path' in found) api = await startCrdCluster(found.path);
  });
  after(async () => api?.stop());

  /** What the server says of a definition whose rules stand there so many times over. */
  async function costs(name: KindName, factor: number): Promise<string> {
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${KINDS[name].plural}.${GROUP}`;
    const { metadata } = (await api.call('GET', path)).body as { metadata: object };
    const changed = { ...(withRules(definition(KINDS[name]), factor) as object), metadata };
    const { status, body } = await api.call('PUT', `${path}?dryRun=All`, changed);
    return status === 200 ? 'taken' : (body as { message: string }).message;
  }

  for (const name of NAMES) {
    it(`of ${name} cost less than half of what the server grants`, async (t) => {
      if (requireComponent(found, t) === undefined) return;
      assert.equal(await costs(name, 2), 'taken');
    });

    it(`of ${name} have words for every field in "kubectl explain"`, async (t) => {
      if (requireComponent(found, t) === undefined) return;
      const schemas = await published(api);
      const schema = schemas[`dev.postern.${VERSION}.${name}`] as { readonly properties: Record<string, Json> };
      const places = ['spec', 'status'].flatMap((part) => [...fieldsOf(schema.properties[part] as Json, part)]);
      assert.ok(places.length > 10);
      assert.deepEqual(
        places
          .filter(([place, { description }]) => !place.endsWith('[]') && !/^\S.{7,}/.test(String(description)))
          .map(([place]) => place),
        [],
      );
    });
  }

  it('are refused once they cost too much, so that the half is worth something', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    assert.match(await costs('APIPolicy', 64), /estimated rule cost exceeds budget/);
  });

  it('answer to their short names and to their category', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const { stdout } = await api.kubectl(['api-resources', '--api-group', GROUP, '--no-headers', '-o', 'wide']);
    assert.deepEqual(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(/\s+/))
        .map(([plural, shortName, version, , kind, , category]) => [plural, shortName, version, kind, category]),
      NAMES.map((name) => KINDS[name])
        .sort((a, b) => (a.plural < b.plural ? -1 : 1))
        .map(({ plural, shortName, kind }) => [plural, shortName, API_VERSION, kind, 'postern']),
    );
  });

  it('explain what is deep inside', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    // kubectl remembers for minutes which kinds there are; this makes it look again.
    await api.kubectl(['api-resources', '--api-group', GROUP]);
    for (const [field, words] of [
      ['apol.spec.authentication.methods.jwt.groupsClaim.path', /FIELD: path <\[\]string>[\s\S]*Path of the claim/],
      ['apol.spec.authorization.rules.allow.when', /FIELD: when <\[\]Object>[\s\S]*expression\t<string> -required-/],
      ['acon.spec.keys.secretRef.key', /FIELD: key <string>[\s\S]*Its data key, which holds the plain key/],
      ['arb.spec.subjects', /FIELD: subjects <\[\]Object>[\s\S]*Who holds it/],
    ] as const)
      assert.match((await api.kubectl(['explain', field])).stdout, words);
  });
});

async function published(api: ApiServer): Promise<Readonly<Record<string, unknown>>> {
  const { body } = await api.call('GET', `/openapi/v3/apis/${API_VERSION}`);
  return (body as { readonly components: { readonly schemas: Record<string, unknown> } }).components.schemas;
}
