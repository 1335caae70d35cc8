import { z } from 'zod';
import { exactlyOneOf, itemName, namedList, objectName, withRule } from '../../core/schema.ts';

/**
 * A time with its offset (RFC 3339 §5.6), of a day that its month has. No `format: date-time`: the API server's own
 * words for that show the pattern, and it takes texts without an offset.
 */
const INSTANT =
  /^(([12][0-9]{3}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])))|(([12][0-9](0[48]|[2468][048]|[13579][26])|(12|16|20|24|28)00)-02-29))T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$/;

const instant = () =>
  z.string().max(35).regex(INSTANT, 'must be a time of a day that exists, as in "2027-11-01T00:00:00Z"');

/**
 * SHA-256 in hexadecimal. The rule about the digest of no bytes at all, which an empty carrier would match, is the API
 * server's alone: of an object that came before the rule, the agent refuses that key and no other.
 */
const sha256 = () =>
  z
    .string()
    .length(64)
    .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits; "postern keys new" makes a key and its digest')
    .meta({
      'x-kubernetes-validations': [
        {
          rule: "self != 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'",
          message: 'must not be the digest of the empty text; "postern keys new" makes a key and its digest',
        },
      ],
    });

const key = withRule(
  exactlyOneOf(
    z.strictObject({
      name: itemName().describe('Name of the key, as logs say it.'),
      sha256: sha256().optional().describe('SHA-256 of a high-entropy key.'),
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
  '!has(self.notBefore) || !has(self.notAfter) || timestamp(self.notBefore) < timestamp(self.notAfter)',
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
