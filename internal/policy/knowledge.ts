import type { EdgeOptions } from '../core/canonicalize.ts';

/** What an instance can know of its requests; authors are told of what it cannot. */
export interface Knowledge {
  /** `client.*`. */
  readonly clientAddress: boolean;
  /** TLS, also of a client that names no server and shows no certificate. */
  readonly transport: boolean;
  /** "No body" from "not forwarded". */
  readonly bodies: boolean;
}

/** By flags alone: what Envoy is set to send shows only in requests. */
export function knowledgeOf({ clientAddress, ...edge }: EdgeOptions): Knowledge {
  const trustsHops = clientAddress.kind === 'hops' || clientAddress.kind === 'cidrs';
  return Object.freeze({
    clientAddress: clientAddress.kind !== 'unset',
    transport: edge.transportTls || edge.trustContextExtensions || trustsHops,
    bodies: edge.bodiesForwarded || edge.trustContextExtensions,
  });
}

/** Where nobody can say what the instance will know: nothing is warned about. */
export const ALL_KNOWN: Knowledge = Object.freeze({ clientAddress: true, transport: true, bodies: true });
