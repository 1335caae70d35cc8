import { z } from 'zod';
import {
  duration,
  exactlyOneOf,
  expression,
  headerName,
  itemName,
  jsonPointer,
  matchLabels,
  mode,
  namedList,
  objectName,
  pathTemplates,
} from '../../core/schema.ts';
import { authenticationSpec, publicSpec } from '../../phases/authn/spec.ts';
import { authorizationSpec } from '../../phases/authz/spec.ts';
import { rateLimitsSpec } from '../../phases/ratelimit/spec.ts';
import { validationSpec } from '../../phases/validation/spec.ts';
import { host } from './host.ts';

/** Kinds of routes that Envoy Gateway names in route metadata. It names no group there: all of them are Gateway API's. */
export const ROUTE_KINDS = ['HTTPRoute', 'GRPCRoute'] as const;

const route = z.strictObject({
  group: z
    .enum(['gateway.networking.k8s.io'])
    .default('gateway.networking.k8s.io')
    .describe("API group of the route: Gateway API's."),
  kind: z.enum(ROUTE_KINDS).default('HTTPRoute').describe('Kind of the route.'),
  name: objectName().describe('Name of the route in this namespace.'),
  sectionName: objectName().optional().describe('One rule of the route; beats the whole route.'),
});

const keep = (what: string) => z.enum(['Refuse', 'Keep']).default('Refuse').describe(what);

const pathOptions = z.strictObject({
  encodedSlash: keep('%2f in a path: refused, or kept as data.'),
  semicolon: keep('";" in a path: refused, or kept as data.'),
  caseInsensitive: z
    .boolean()
    .default(false)
    .describe('Whether A–Z and a–z are the same in every path of this policy.'),
});

const target = exactlyOneOf(
  z.strictObject({
    hosts: z
      .array(host())
      .min(1)
      .max(64)
      .optional()
      .describe('Exact hosts, or *.example.org for one or more labels below it.'),
    routes: z.array(route).min(1).max(16).optional().describe('Routes that Envoy Gateway names in route metadata.'),
    workloadSelector: z
      .strictObject({
        matchLabels: matchLabels().describe('Labels that the Pod must have.'),
      })
      .optional()
      .describe(
        'Pods whose sidecar this policy governs, whatever the host. Of sidecar classes only: elsewhere it is refused (TargetNotSupported), as hosts and routes are there.',
      ),
    paths: pathTemplates().default(['/**']).describe('Paths of the target; others are not governed by this policy.'),
    pathOptions: pathOptions
      .default({ encodedSlash: 'Refuse', semicolon: 'Refuse', caseInsensitive: false })
      .describe('How paths are read.'),
  }),
  ['hosts', 'routes', 'workloadSelector'],
);

const upstreamHeader = z.strictObject({
  name: headerName().describe(
    'Header that the upstream reads. What a client sends under this name, in whatever spelling, does not arrive by any policy of the host, unless action or keepHeaders keeps it.',
  ),
  value: expression().describe('Its value.'),
  action: z
    .enum(['Set', 'Append', 'AddIfAbsent'])
    .default('Set')
    .describe(
      'Set overwrites. Append and AddIfAbsent keep what the client sent, but only beside a constant: a value that reads anything of the request or its caller overwrites.',
    ),
  missing: z.enum(['Remove', 'Deny']).default('Remove').describe('What a null value means.'),
});

const redaction = exactlyOneOf(
  z.strictObject({
    header: z
      .strictObject({ name: headerName().describe('Name of the header.') })
      .optional()
      .describe(
        'A header whose value is blotted out wherever it would be logged. What is worked out from it, as client.address, is logged.',
      ),
    body: z
      .strictObject({
        pointer: jsonPointer().describe('JSON pointer (RFC 6901), as in /card/number.'),
      })
      .optional()
      .describe('A member of the body. No log holds bodies, so it leaves out nothing more.'),
  }),
  ['header', 'body'],
);

export const transportSpec = z.strictObject({
  requireTLS: z.boolean().default(false).describe('Refuses what is not known to have come by TLS.'),
  hsts: z
    .strictObject({ maxAge: duration().describe('How long browsers keep to https.') })
    .optional()
    .describe('Strict-Transport-Security (RFC 6797), on answers to what is known to have come by TLS.'),
});

export const responseSpec = z.strictObject({
  upstreamHeaders: namedList(upstreamHeader, 32)
    .optional()
    .describe(
      'Headers for the upstream. Not names that frame the message, that proxies or browsers write (x-envoy-…, x-forwarded-…, forwarded, via, x-real-ip, sec-…, grpc-…), or that upstreams take for another method or path (x-http-method-override, x-original-url, …), in no spelling.',
    ),
  keepHeaders: z
    .array(headerName())
    .max(16)
    .optional()
    .describe(
      'Headers that reach the upstream as the client sent them, though they name another method or path, or another policy of the host sets them.',
    ),
});

export const auditLogSpec = z.strictObject({
  allows: z
    .strictObject({ percent: z.int().min(0).max(100).describe('Share of allows that is logged.') })
    .optional()
    .describe('Logging of allows.'),
  redact: z.array(redaction).max(32).optional().describe('What the log leaves out besides credentials.'),
});

export const apiPolicySpec = z.strictObject({
  className: itemName().default('postern').describe('The instance that serves this policy; immutable.'),
  target: target.describe('What is governed.'),
  mode: mode().default('Enforce').describe('Audit only counts and logs what the policy would refuse.'),
  transport: transportSpec.optional().describe('Encryption in transit.'),
  public: publicSpec
    .optional()
    .describe('Routes without authentication; blocks, limits, deny rules and validation still apply.'),
  authentication: authenticationSpec.optional().describe('Who is calling. Absent: nobody gets in.'),
  authorization: authorizationSpec.optional().describe('May they. Absent: nobody may.'),
  validation: validationSpec.optional().describe('Is the input sound.'),
  rateLimits: rateLimitsSpec.optional().describe('How often.'),
  response: responseSpec.optional().describe('What an allowed request takes along.'),
  auditLog: auditLogSpec.optional().describe('The record of decisions.'),
});

export type ApiPolicySpec = z.output<typeof apiPolicySpec>;
