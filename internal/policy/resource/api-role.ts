import { z } from 'zod';
import { exactlyOneOf, itemName, methods, namedList, objectName, objectRef, pathTemplates } from '../../core/schema.ts';

const permission = exactlyOneOf(
  z.strictObject({
    name: itemName().describe('Name of the permission.'),
    policyRefs: z.array(objectRef()).min(1).max(64).optional().describe('Policies of this namespace.'),
    allPolicies: z.strictObject({}).optional().describe('Every policy of this namespace.'),
    methods: methods('; leave methods out to mean all of them').optional().describe('HTTP methods; absent: all.'),
    paths: pathTemplates().optional().describe('Path templates; absent: all.'),
  }),
  ['policyRefs', 'allPolicies'],
);

export const apiRoleSpec = z.strictObject({
  inherits: z.array(objectRef()).max(32).default([]).describe('Roles whose permissions this one has too.'),
  permissions: namedList(permission, 64).default([]).describe('What holders may do.'),
});

const subject = exactlyOneOf(
  z.strictObject({
    consumer: objectRef().optional().describe('An APIConsumer.'),
    consumerGroup: z
      .strictObject({ name: z.string().min(1).max(256).describe('A group of APIConsumers; never a claim.') })
      .optional()
      .describe('A group of APIConsumers.'),
    claim: z
      .strictObject({
        issuer: z.string().min(1).max(2048).describe('Issuer of the token, exact.'),
        path: z.array(z.string().min(1).max(256)).min(1).max(8).describe('Path of the claim, from the outside in.'),
        value: z.string().min(1).max(1024).describe('The claim is this text, or a list that has it.'),
      })
      .optional()
      .describe("A claim of one issuer's tokens."),
    spiffe: z
      .strictObject({
        id: z
          .string()
          .min(10)
          .max(2048)
          .regex(
            /^spiffe:\/\/[a-z0-9._-]+(\/[A-Za-z0-9._-]+)+$/,
            'must be a SPIFFE id, as in "spiffe://cluster.local/ns/web/sa/front"',
          )
          .describe('SPIFFE id.'),
      })
      .optional()
      .describe('A verified peer certificate.'),
    serviceAccount: z
      .strictObject({
        namespace: itemName().describe('Namespace of the ServiceAccount.'),
        name: objectName().describe('Name of the ServiceAccount.'),
      })
      .optional()
      .describe('A ServiceAccount of the cluster, by a token of --cluster-issuer.'),
  }),
  ['consumer', 'consumerGroup', 'claim', 'spiffe', 'serviceAccount'],
);

export const apiRoleBindingSpec = z.strictObject({
  roleRef: objectRef().describe('The role; immutable.'),
  subjects: z.array(subject).min(1).max(256).describe('Who holds it.'),
});

export type ApiRoleSpec = z.output<typeof apiRoleSpec>;
export type ApiRoleBindingSpec = z.output<typeof apiRoleBindingSpec>;
