import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';
import type { Answer } from './harness-http1.ts';

/** One HTTP/2 connection, for many requests at once. */
export interface Http2Client {
  /** Pseudo-headers may be given too; `:authority` is `api.example.org` if not. Rejects when the stream is reset. */
  request(headers: OutgoingHttpHeaders, body?: string | Uint8Array): Promise<Http2Answer>;
  close(): Promise<void>;
}

export interface Http2Answer extends Answer {
  /** What came after the body, as a gRPC status does. */
  readonly trailers: Readonly<Record<string, string>>;
}

/** Connects without an upgrade, that is with prior knowledge; with `tls` over TLS. */
export async function openHttp2(port: number, tls?: SecureClientSessionOptions): Promise<Http2Client> {
  const session = connect(`${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, tls);
  await once(session, 'connect');
  // From here on every request hears of it itself.
  session.on('error', () => undefined);
  return { request: (headers, body) => ask(session, headers, body), close: () => end(session) };
}

async function ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body: string | Uint8Array | undefined,
): Promise<Http2Answer> {
  const stream = session.request({ ':authority': 'api.example.org', ...headers }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  let trailers: IncomingHttpHeaders = {};
  stream.on('trailers', (received: IncomingHttpHeaders) => {
    trailers = received;
  });
  const [received, , rawFields] = await response(stream);
  let text = '';
  for await (const piece of stream.setEncoding('utf8')) text += piece as string;
  const fields = rawFields.flatMap((name, position): [string, string][] =>
    position % 2 === 0 ? [[name, rawFields[position + 1] ?? '']] : [],
  );
  return {
    status: Number(received[':status']),
    headers: flat(received),
    fields: fields.filter(([name]) => !name.startsWith(':')),
    body: text,
    trailers: flat(trailers),
  };
}

/** `once` hears of errors as well, and of a stream that ends without an answer through them. */
const response = (stream: ClientHttp2Stream): Promise<[IncomingHttpHeaders, number, string[]]> =>
  once(stream, 'response') as Promise<[IncomingHttpHeaders, number, string[]]>;

const flat = (headers: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      name.startsWith(':') || value === undefined ? [] : [[name, Array.isArray(value) ? (value.at(-1) ?? '') : value]],
    ),
  );

async function end(session: ClientHttp2Session): Promise<void> {
  if (session.destroyed) return;
  session.destroy();
  await once(session, 'close').catch(() => undefined);
}
