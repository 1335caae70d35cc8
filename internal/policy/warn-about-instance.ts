// What this instance cannot know, said when an object arrives, so that an author need not find out by refusals.
import type { ProblemList } from '../core/problem.ts';
import type { Knowledge } from './knowledge.ts';

/** @param attributes that expressions and criteria read */
export function warnAboutAttributes(attributes: ReadonlySet<string>, knows: Knowledge, problems: ProblemList): void {
  const readsClient = attributes.has('client.address') || attributes.has('client.network');
  if (readsClient && !knows.clientAddress) {
    problems.warn(
      'ClientAddressUnconfigured',
      "The client's address is unknown behind a private peer: start the agent with --client-address",
    );
  }
  const readsBodies = attributes.has('request.body') || attributes.has('request.size');
  if (readsBodies && !knows.bodies) {
    problems.warn(
      'BodyNotForwarded',
      'Where no body arrives, none cannot be told from one that Envoy did not forward, and reading request.body or request.size is an error: set with_request_body in its filter, and start the agent with --bodies=forwarded',
    );
  }
}

/** Where rules of validation read bodies. */
export function warnAboutBodies(knows: Knowledge, problems: ProblemList): void {
  if (knows.bodies) return;
  problems.warn(
    'BodyNotForwarded',
    'Where no body arrives, none cannot be told from one that Envoy did not forward, and the request is refused unless bodyless names its method: set with_request_body in its filter, and start the agent with --bodies=forwarded',
  );
}

/** Where something asks for TLS. */
export function warnAboutTls(knows: Knowledge, problems: ProblemList): void {
  if (knows.transport) return;
  problems.warn(
    'TransportUnknown',
    'Only include_tls_session of Envoy shows TLS here, and only of clients that name the server (SNI): set it, or start the agent with --transport-security=tls',
  );
}
