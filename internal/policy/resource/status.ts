import { z } from 'zod';
import { itemName } from '../../core/schema.ts';

/** A condition as Kubernetes has them (apimachinery, meta/v1 Condition). */
const condition = z.strictObject({
  type: z.string().min(1).max(64).describe('What is said: Accepted, ResolvedRefs or Programmed.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  reason: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/, 'must be one CamelCase word')
    .describe('Why, in one word.'),
  message: z.string().max(32_768).optional().describe('Why, for people: field paths and what to write instead.'),
  observedGeneration: z.int().min(0).optional().describe('The generation of the spec that was looked at.'),
  lastTransitionTime: z.string().max(35).meta({ format: 'date-time' }).describe('When the status changed last.'),
});

const conditions = () =>
  z
    .array(condition)
    .max(16)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .describe('What the agent found.');

const accepted = () =>
  z
    .strictObject({
      generation: z.int().min(0).describe('Generation of the spec that serves.'),
      spec: z.string().max(1_000_000).describe('That spec: JSON, gzip, base64.'),
    })
    .optional()
    .describe('The last spec that was accepted.');

/** Status of the kind that one instance owns. */
export const ownedStatus = z.strictObject({
  conditions: conditions(),
  hosts: z
    .array(z.string().min(1).max(253))
    .max(64)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'set' })
    .describe('Hosts that the policy holds.'),
  accepted: accepted(),
});

const instances = (entry: z.ZodObject) =>
  z.strictObject({
    instances: z
      .array(entry)
      .max(64)
      .optional()
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['className'] })
      .describe('What each class of instances found.'),
  });
const entry = () => z.strictObject({ className: itemName().describe('The class.'), conditions: conditions() });

/** Status of the kinds that every class of instances reads. */
export const sharedStatus = instances(entry());

/** Status of those of the cluster, which keep their last good spec, each class its own. */
export const clusterStatus = instances(entry().extend({ accepted: accepted() }));
