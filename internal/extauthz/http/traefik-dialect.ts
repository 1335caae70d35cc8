import { canonicalAddress } from '../../core/address.ts';
import { type Dialect, isSecureScheme, single, type Told } from './dialect.ts';
import { fieldReader, type HttpMessage } from './http-message.ts';

const METHOD = 'x-forwarded-method';
const TARGET = 'x-forwarded-uri';
const HOST = 'x-forwarded-host';
const SCHEME = 'x-forwarded-proto';
const ADDRESS = 'x-forwarded-for';
const ALL = [METHOD, TARGET, HOST, SCHEME, ADDRESS] as const;
const fieldsOf = fieldReader({
  // The address stays: `--client-address` may read it.
  own: [METHOD, TARGET, HOST, SCHEME],
  // Fields of the connection, of which it passes some on to the upstream.
  untold: ['te', 'trailers', 'upgrade'],
  isJoined: false,
});
const HINT = "Traefik's forwardAuth writes it; leave trustForwardHeader false";

/** Traefik's `forwardAuth`: a request of its own, which `X-Forwarded-*` tells of. A refusal reaches the client whole. */
export const TRAEFIK: Dialect = {
  path: '/check/traefik',
  isPrefix: false,
  takesBody: false,
  removesListed: false,
  read,
  timeoutMs: () => undefined,
  statusOf: (http) => http,
};

function read({ lines }: HttpMessage): Told | string {
  const values: string[] = [];
  for (const name of ALL) {
    const found = single(lines, name, HINT);
    if ('problem' in found) return found.problem;
    values.push(found.value);
  }
  const [method = '', target = '', host = '', scheme = '', forwardedFor = ''] = values;
  const cameByTls = isSecureScheme(scheme);
  if (cameByTls === undefined) return `${SCHEME} is none of http, https, ws and wss: ${HINT}`;
  const headers = fieldsOf(lines);
  // Its own peer is the last it names, whatever it was told to believe of what came before.
  const address = canonicalAddress(forwardedFor.slice(forwardedFor.lastIndexOf(',') + 1).trim()) ?? '';
  return { method, target, host, scheme, headers, size: -1, address, cameByTls };
}
