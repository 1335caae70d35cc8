import { z } from 'zod';
import { exactlyOneOf, itemName, namedList, objectName, withRule } from '../../core/schema.ts';

/** A time with its offset (RFC 3339 §5.6); the day is checked against its month. */
const instant = () =>
  z
    .string()
    .max(35)
    .regex(
      /^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$/,
      'must be a time, as in "2027-11-01T00:00:00Z"',
    )
    .refine(isDayOfMonth, { error: 'must be a day that its month has' })
    .meta({ format: 'date-time' });

function isDayOfMonth(text: string): boolean {
  const [year, month, day] = text.slice(0, 10).split('-').map(Number);
  const date = new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day));
  return date.getUTCDate() === day;
}

const key = withRule(
  exactlyOneOf(
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
          key: z
            .string()
            .min(1)
            .max(253)
            .regex(/^[-._a-zA-Z0-9]+$/, 'must be a data key of a Secret')
            .describe('Its data key, which holds the plain key.'),
        })
        .optional()
        .describe('A Secret that holds the key.'),
      notBefore: instant().optional().describe('The key is not valid before this time.'),
      notAfter: instant().optional().describe('The key is not valid from this time on.'),
    }),
    ['sha256', 'secretRef'],
  ),
  '!has(self.notBefore) || !has(self.notAfter) || self.notBefore < self.notAfter',
  'the key would end before it begins: notAfter must be later than notBefore',
  ({ notBefore, notAfter }) =>
    notBefore === undefined || notAfter === undefined || Date.parse(notBefore) < Date.parse(notAfter),
);

export const apiConsumerSpec = z.strictObject({
  groups: z.array(z.string().min(1).max(256)).max(64).default([]).describe('Groups of the consumer.'),
  keys: namedList(key, 16)
    .default([])
    .describe('Keys that are valid side by side, so that one can be replaced without an outage.'),
});

export type ApiConsumerSpec = z.output<typeof apiConsumerSpec>;
