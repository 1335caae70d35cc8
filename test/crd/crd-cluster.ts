import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { API_VERSION, isClusterScoped, KINDS, type KindName } from '../../internal/policy/resource/kinds.ts';
import { type ApiServer, startApiServer } from '../components/api-server.ts';

const CRDS = join(import.meta.dirname, '../../deploy/crds');
const ACTIVE_MS = 60_000;
const POLL_MS = 50;

/** A custom object as a client sends it: nothing is known of its spec. */
export interface SentObject {
  readonly kind: KindName;
  readonly name: string;
  readonly spec: unknown;
}

/** An API server with the definitions and admission policies of `deploy/crds`, all of them in force. */
export async function startCrdCluster(binaries: string): Promise<ApiServer> {
  const api = await startApiServer(binaries);
  const { code, stderr } = await api.kubectl(['apply', '-f', CRDS]);
  assert.equal(code, 0, stderr);
  const give = performance.now() + ACTIVE_MS;
  for (const kind of Object.keys(KINDS) as KindName[]) {
    // The API server takes up a new admission policy a moment after it has said yes to it.
    while (!/ValidatingAdmissionPolicy/.test((await post(api, { kind, name: 'probe', spec: SMALLEST[kind] })) ?? '')) {
      assert.ok(performance.now() < give, `the admission policy of ${kind} is not in force`);
      await wait(POLL_MS);
    }
  }
  return api;
}

/** A right shape of each kind but for one field that nobody knows. */
const SMALLEST: Readonly<Record<KindName, object>> = {
  APIPolicy: { target: { hosts: ['a.example.org'] }, unknown: 1 },
  APIConsumer: { unknown: 1 },
  APIRole: { unknown: 1 },
  APIRoleBinding: { roleRef: { name: 'r' }, subjects: [{ consumer: { name: 'c' } }], unknown: 1 },
  HostGrant: { hosts: ['a.example.org'], namespaceSelector: {}, unknown: 1 },
  APIBaseline: { namespaceSelector: {}, overrides: { require: { tls: {} } }, unknown: 1 },
};

export const documentOf = ({ kind, name, spec }: SentObject): object => ({
  apiVersion: API_VERSION,
  kind,
  metadata: { name, ...(!isClusterScoped(kind) && { namespace: 'default' }) },
  spec,
});

/**
 * Creates an object as a client that is not strict, which drops nothing and is warned of nothing.
 *
 * @param how `dryRun` goes through everything but the storage
 * @returns what the server refused it with; undefined when it took it
 */
export async function post(
  api: ApiServer,
  object: SentObject,
  how: 'dryRun' | 'store' = 'dryRun',
): Promise<string | undefined> {
  const query = `fieldValidation=Ignore${how === 'dryRun' ? '&dryRun=All' : ''}`;
  return refusal(await api.call('POST', `${collection(object.kind)}?${query}`, documentOf(object)));
}

/** Replaces an object in the same way. */
export async function put(api: ApiServer, object: SentObject): Promise<string | undefined> {
  const path = `${collection(object.kind)}/${object.name}`;
  const { body } = await api.call('GET', path);
  const { metadata } = body as { metadata: object };
  return refusal(await api.call('PUT', `${path}?fieldValidation=Ignore`, { ...documentOf(object), metadata }));
}

const collection = (kind: KindName): string =>
  `/apis/${API_VERSION}/${isClusterScoped(kind) ? '' : 'namespaces/default/'}${KINDS[kind].plural}`;

function refusal({ status, body }: { readonly status: number; readonly body: unknown }): string | undefined {
  if (status < 300) return undefined;
  return (body as { readonly message: string }).message;
}

/**
 * Applies many objects with one command, which goes on after each that is refused.
 *
 * @returns what was said of each that was refused, by name
 */
export async function apply(
  api: ApiServer,
  objects: readonly SentObject[],
  flags: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects.map(documentOf) };
  const { stderr } = await api.kubectl(['apply', ...flags, '-f', '-'], JSON.stringify(list));
  const refusals = new Map<string, string>();
  for (const text of stderr.split(/^(?=Error from server|The [A-Za-z]+ ")/m)) {
    const name = /["/]([a-z]+-[0-9]+)[";]/.exec(text)?.[1];
    refusals.set(name ?? '', text.trim());
  }
  return refusals;
}
