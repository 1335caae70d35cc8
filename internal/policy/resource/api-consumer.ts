import { z } from 'zod';
import { exactlyOneOf, itemName, namedList, objectName } from '../../core/schema.ts';

const instant = () =>
  z
    .string()
    .max(35)
    .regex(
      /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$/,
      'must be a time, as in "2027-11-01T00:00:00Z"',
    )
    .meta({ format: 'date-time' });

const key = exactlyOneOf(
  z.strictObject({
    name: itemName().describe('Name of the key, as logs say it.'),
    sha256: z
      .string()
      .length(64)
      .regex(
        /^[0-9a-f]{64}$/,
        'must be 64 lower-case hexadecimal digits; "postern keys new" makes a key and its digest',
      )
      .optional()
      .describe('SHA-256 of a high-entropy key.'),
    secretRef: z
      .strictObject({
        name: objectName().describe('Secret of type postern.dev/credential in this namespace.'),
        key: z.string().min(1).max(253).describe('Its data key, which holds the plain key.'),
      })
      .optional()
      .describe('A Secret that holds the key.'),
    notBefore: instant().optional().describe('The key is not valid before this time.'),
    notAfter: instant().optional().describe('The key is not valid from this time on.'),
  }),
  ['sha256', 'secretRef'],
);

export const apiConsumerSpec = z.strictObject({
  groups: z.array(z.string().min(1).max(256)).max(64).default([]).describe('Groups of the consumer.'),
  keys: namedList(key, 16)
    .default([])
    .describe('Keys that are valid side by side, so that one can be replaced without an outage.'),
});

export type ApiConsumerSpec = z.output<typeof apiConsumerSpec>;
