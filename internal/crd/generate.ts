import { hash } from 'node:crypto';
import { stringify } from 'yaml';
import { GROUP, KINDS, type Kind, VERSION } from '../policy/resource/kinds.ts';
import { type Json, structuralSchema } from './structural-schema.ts';
import { unknownFieldRules } from './unknown-fields.ts';

const HEADER = '# Generated from the schemas in internal/policy/resource by "npm run generate". Do not edit.\n';

/** Annotation by which an agent knows whether the schema that is installed is its own. */
export const DIGEST_ANNOTATION = 'postern.dev/schema-digest';

const CONDITIONS: Json = {
  type: 'array',
  maxItems: 16,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
  description: 'What the agent found.',
  items: {
    type: 'object',
    required: ['type', 'status', 'reason', 'lastTransitionTime'],
    properties: {
      type: { type: 'string', maxLength: 64, description: 'What is said.' },
      status: { type: 'string', enum: ['True', 'False', 'Unknown'], description: 'Whether it holds.' },
      reason: { type: 'string', maxLength: 128, description: 'One word.' },
      message: { type: 'string', maxLength: 32768, description: 'A sentence for people.' },
      observedGeneration: { type: 'integer', format: 'int64', description: 'The generation that was looked at.' },
      lastTransitionTime: { type: 'string', format: 'date-time', description: 'When the status changed last.' },
    },
  },
};

const STATUS: Readonly<Record<Kind['status'], Json>> = {
  conditions: {
    type: 'object',
    properties: {
      conditions: CONDITIONS,
      hosts: {
        type: 'array',
        maxItems: 64,
        'x-kubernetes-list-type': 'set',
        items: { type: 'string', maxLength: 253 },
        description: 'Hosts that the policy holds.',
      },
      accepted: {
        type: 'object',
        description: 'The spec that serves.',
        properties: {
          generation: { type: 'integer', format: 'int64', description: 'Its generation.' },
          spec: { type: 'string', maxLength: 1_000_000, description: 'The spec, gzip and base64.' },
        },
      },
    },
  },
  instances: {
    type: 'object',
    properties: {
      instances: {
        type: 'array',
        maxItems: 64,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['className'],
        description: 'What each class of instances found.',
        items: {
          type: 'object',
          required: ['className'],
          properties: {
            className: { type: 'string', maxLength: 63, description: 'The class.' },
            conditions: CONDITIONS,
          },
        },
      },
    },
  },
};

/** The files of `deploy/crds`, by name: a CustomResourceDefinition and its admission policy for each kind. */
export function generateCrds(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const kind of Object.values(KINDS)) {
    const spec = structuralSchema(kind.spec);
    const documents = [definition(kind, spec), ...admission(kind, spec)];
    files.set(
      `${GROUP}_${kind.plural}.yaml`,
      HEADER +
        documents.map((document) => stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n'),
    );
  }
  return files;
}

/** Digest of a kind's schema: agents of one version make one digest. */
export const schemaDigest = (spec: Json): string => hash('sha256', JSON.stringify(spec), 'hex').slice(0, 16);

function definition(kind: Kind, spec: Json): Json {
  const immutable = kind.immutable.map((field) => ({
    rule: `self.${field} == oldSelf.${field}`,
    message: `${field} is immutable: make a new object, then delete this one`,
  }));
  const rules = [...((spec['x-kubernetes-validations'] as Json[] | undefined) ?? []), ...immutable];
  const schema: Json = {
    type: 'object',
    required: ['spec'],
    description: kind.doc,
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: {
        ...spec,
        description: `What the ${kind.kind} says.`,
        ...(rules.length > 0 && { 'x-kubernetes-validations': rules }),
      },
      status: { ...STATUS[kind.status], description: 'What the agent says of it.' } as Json,
    },
  };
  const hasClass = (spec.properties as Json | undefined)?.className !== undefined;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.plural}.${GROUP}`, annotations: { [DIGEST_ANNOTATION]: schemaDigest(spec) } },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
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
          schema: { openAPIV3Schema: schema },
          subresources: { status: {} },
          additionalPrinterColumns: [
            ...kind.columns.map((column) => ({ ...column, type: 'string' })),
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          ...(hasClass && { selectableFields: [{ jsonPath: '.spec.className' }] }),
        },
      ],
    },
  } as unknown as Json;
}

/** Clients that are not strict lose unknown fields without a word, and a lost condition widens a rule: so they are refused. */
function admission(kind: Kind, spec: Json): Json[] {
  const name = `${kind.plural}.${GROUP}`;
  const policy = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [
          { apiGroups: [GROUP], apiVersions: [VERSION], operations: ['CREATE', 'UPDATE'], resources: [kind.plural] },
        ],
      },
      validations: unknownFieldRules(spec).map((rule) => ({ ...rule, reason: 'Invalid' })),
    },
  };
  const binding = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'] },
  };
  return [policy, binding] as unknown as Json[];
}
