import { hash } from 'node:crypto';
import { nearest } from '../../core/nearest.ts';
import type { ProblemList } from '../../core/problem.ts';
import type { ObjectMeta, SourceObject } from '../object.ts';
import { glimpse, MAX_GLIMPSE } from './glimpse.ts';
import { API_VERSION, isClusterScoped, KINDS } from './kinds.ts';
import { checkNamespace, NAMESPACE_FIELDS } from './namespace.ts';
import { checkSecret, SECRET_FIELDS } from './secret.ts';

const KNOWN_KINDS: readonly string[] = [...Object.keys(KINDS), 'Namespace', 'Secret'];
/** Kinds of Kubernetes' own. */
const CORE: Readonly<Record<string, readonly string[]>> = { Namespace: NAMESPACE_FIELDS, Secret: SECRET_FIELDS };
const FIELDS: readonly string[] = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];
const METADATA_READ = ['name', 'namespace', 'labels', 'annotations'] as const;
/** Written by the API server and by tools: they come along in dumps and mean nothing here. */
const METADATA_IGNORED = [
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'finalizers',
  'generateName',
  'generation',
  'managedFields',
  'ownerReferences',
  'resourceVersion',
  'selfLink',
  'uid',
] as const;
const METADATA: readonly string[] = [...METADATA_READ, ...METADATA_IGNORED];
const REQUIRED = 'This field is required';
const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const NAMESPACE = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/**
 * Reads what is around a spec, strictly, and fills in what an object outside of a cluster has by default: namespace
 * `default`, and a uid that its kind, namespace and name make. The spec itself stays unread; a `status` is dropped, for
 * nobody but the agent has anything to say there.
 *
 * @returns undefined where kind, namespace or name cannot be read. Where they can, and something else is wrong, the
 * object carries its `problems`: nothing of it is used, and what it claims is held all the same.
 */
export function readEnvelope(value: unknown, problems: ProblemList): SourceObject | undefined {
  if (!isObject(value)) {
    problems.error('Invalid', 'This is no object: a document begins with apiVersion, kind and metadata');
    return undefined;
  }
  const { kind, apiVersion } = value;
  if (typeof kind !== 'string' || !KNOWN_KINDS.includes(kind)) {
    problems.at('kind').error('Invalid', unknownKind(kind));
    return undefined;
  }
  const version = CORE[kind] === undefined ? API_VERSION : 'v1';
  if (apiVersion !== version) {
    problems.at('apiVersion').error('Invalid', `${kind} has the apiVersion "${version}", not "${glimpse(apiVersion)}"`);
  }
  refuseUnknown(value, CORE[kind] ?? FIELDS, problems);
  const metadata = readMetadata(kind, value.metadata, problems.at('metadata'));
  if (kind === 'Secret') checkSecret(value, problems);
  else if (kind === 'Namespace') checkNamespace(value, problems);
  else if (value.spec === undefined || value.spec === null) problems.at('spec').error('Invalid', REQUIRED);
  if (metadata === undefined) return undefined;
  if (problems.hasErrors) return { apiVersion: version, kind, metadata, spec: value.spec, problems: problems.problems };
  const { status: _, ...rest } = value;
  return { ...rest, apiVersion: version, kind, metadata } as SourceObject;
}

/** The id of an object that no cluster gave one: a hash of kind, namespace and name; counters are kept under it. */
export function uidOf(kind: string, namespace: string, name: string): string {
  const parts = [kind, namespace, name].map((part) => `${part.length}:${part}`).join('');
  return hash('sha256', parts, 'hex').slice(0, 32);
}

function readMetadata(kind: string, value: unknown, problems: ProblemList): ObjectMeta | undefined {
  if (!isObject(value)) {
    problems.error('Invalid', value === undefined ? REQUIRED : 'Must be an object with a name');
    return undefined;
  }
  refuseUnknown(value, METADATA, problems);
  const isOfCluster = kind === 'Namespace' || isClusterScoped(kind);
  if (isOfCluster && value.namespace !== undefined) {
    problems.at('namespace').error('Invalid', `${kind} is of the cluster, not of a namespace: leave this out`);
  }
  const { name } = value;
  const { namespace = 'default' } = isOfCluster ? { namespace: '' } : value;
  const isName = typeof name === 'string' && name.length <= 253 && NAME.test(name);
  if (!isName) {
    const hint = 'use lower-case letters, digits, "-" and ".", at most 253';
    const wrong = `"${glimpse(name)}" is no name of an object: ${hint}`;
    problems.at('name').error('Invalid', name === undefined || name === null ? REQUIRED : wrong);
  }
  const isNamespace =
    isOfCluster || (typeof namespace === 'string' && namespace.length <= 63 && NAMESPACE.test(namespace));
  if (!isNamespace) {
    const hint = 'use lower-case letters, digits and "-", at most 63';
    problems.at('namespace').error('Invalid', `"${glimpse(namespace)}" is no namespace: ${hint}`);
  }
  const labels = readTexts(value.labels, problems.at('labels'));
  const annotations = readTexts(value.annotations, problems.at('annotations'));
  if (!isName || !isNamespace || typeof namespace !== 'string') return undefined;
  return {
    name,
    namespace: namespace as string,
    uid: uidOf(kind, namespace, name),
    generation: 1,
    labels,
    annotations,
  };
}

function readTexts(value: unknown, problems: ProblemList): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) {
    problems.error('Invalid', 'Must be an object of texts');
    return {};
  }
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string')
      problems.at(glimpse(key)).error('Invalid', `Must be text, not ${glimpse(text)}: quote it`);
  }
  return value as Readonly<Record<string, string>>;
}

function refuseUnknown(value: object, known: readonly string[], problems: ProblemList): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const hint = key.length <= MAX_GLIMPSE ? nearest(key, known) : undefined;
    const rest = hint === undefined ? '' : `: did you mean "${hint}"?`;
    const shown = glimpse(key);
    problems.at(shown).error('UnknownField', `Unknown field "${shown}"${rest}`);
  }
}

function unknownKind(kind: unknown): string {
  if (kind === undefined) return REQUIRED;
  const hint = typeof kind === 'string' && kind.length <= MAX_GLIMPSE ? nearest(kind, KNOWN_KINDS) : undefined;
  const rest = hint === undefined ? `: known are ${KNOWN_KINDS.join(', ')}` : `: did you mean "${hint}"?`;
  return `Unknown kind "${glimpse(kind)}"${rest}`;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
