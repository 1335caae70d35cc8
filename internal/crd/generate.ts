import { hash } from 'node:crypto';
import { stringify } from 'yaml';
import type { z } from 'zod';
import { GROUP, KINDS, type Kind, VERSION } from '../policy/resource/kinds.ts';
import { clusterStatus, ownedStatus, sharedStatus } from '../policy/resource/status.ts';
import { admissionPolicy } from './admission-policy.ts';
import { statusPolicy } from './status-policy.ts';
import { type Json, structuralSchema } from './structural-schema.ts';

const HEADER = '# Generated from the schemas in internal/policy/resource by "npm run generate". Do not edit.\n';

/** Annotation by which an agent knows whether the schema that is installed is its own. */
export const DIGEST_ANNOTATION = 'postern.dev/schema-digest';

/** The files of `deploy/crds`, by name: a CustomResourceDefinition and its admission policies for each kind. */
export function generateCrds(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const kind of Object.values(KINDS)) {
    const documents = [definition(kind), ...admissionPolicies(kind)];
    const texts = documents.map((document) => stringify(document, { lineWidth: 0, aliasDuplicateObjects: false }));
    files.set(`${GROUP}_${kind.plural}.yaml`, HEADER + texts.join('---\n'));
  }
  return files;
}

/** Digest of all that the API server and the admission policies check of a kind: agents of one version make one digest. */
export function schemaDigest(kind: Kind): string {
  const checked = [objectSchema(kind), admissionPolicies(kind)];
  return hash('sha256', JSON.stringify(checked), 'hex').slice(0, 16);
}

const admissionPolicies = (kind: Kind): readonly Json[] => [
  ...admissionPolicy(kind, structuralSchema(kind.spec)),
  ...statusPolicy(kind),
];

/** The CustomResourceDefinition of a kind (apiextensions.k8s.io/v1). */
export function definition(kind: Kind): Json {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.plural}.${GROUP}`, annotations: { [DIGEST_ANNOTATION]: schemaDigest(kind) } },
    spec: {
      group: GROUP,
      scope: kind.scope,
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.kind.toLowerCase(),
        shortNames: [kind.shortName],
        categories: ['postern'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: objectSchema(kind) },
          subresources: { status: {} },
          additionalPrinterColumns: columnsOf(kind),
          ...(Object.hasOwn(kind.spec.shape, 'className') && { selectableFields: [{ jsonPath: '.spec.className' }] }),
        },
      ],
    },
  } as unknown as Json;
}

const columnsOf = ({ columns }: Kind): readonly object[] => [
  ...columns.map((column) => ({ ...column, type: column.type ?? 'string' })),
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
];

function statusOf({ status, scope }: Kind): z.ZodObject {
  if (status === 'conditions') return ownedStatus;
  return scope === 'Cluster' ? clusterStatus : sharedStatus;
}

function objectSchema(kind: Kind): Json {
  const spec = structuralSchema(kind.spec);
  const immutable = kind.immutable.map((field) => ({
    rule: `self.${field} == oldSelf.${field}`,
    message: `${field} is immutable: make a new object, then delete this one`,
    fieldPath: `.${field}`,
  }));
  const rules = [...((spec['x-kubernetes-validations'] as Json[] | undefined) ?? []), ...immutable];
  const status = structuralSchema(statusOf(kind), { keepsUnknown: false });
  return {
    type: 'object',
    required: ['spec'],
    description: kind.doc,
    properties: {
      apiVersion: { type: 'string', maxLength: 64 },
      kind: { type: 'string', maxLength: 64 },
      metadata: { type: 'object' },
      spec: {
        ...spec,
        description: `What the ${kind.kind} says.`,
        ...(rules.length > 0 && { 'x-kubernetes-validations': rules }),
      },
      status: { ...status, description: 'What the agent says of it.' },
    },
  };
}
