import { once } from 'node:events';
import type { Server } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';

const closed = async (socket: Socket): Promise<void> => {
  if (!socket.closed) await once(socket, 'close');
};

/** Until then a connection ends with an answer that says so: HTTP/1.1 has no other way to tell a proxy. */
const NOTICE_MS = 2000;

/**
 * Takes no more connections and lets those that there are end with their next answer; those that are idle after the
 * notice are closed, and what is left after this long is cut off.
 *
 * @param sockets every connection that is open, also one that has not finished its TLS handshake
 */
export async function drainConnections(server: Server, sockets: Iterable<Socket>, timeoutMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const notice = setTimeout(() => server.closeIdleConnections(), Math.min(NOTICE_MS, timeoutMs / 2));
  const end = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, timeoutMs);
  // The `close` of an HTTP server closes idle connections at once: one of them may have a check on its way.
  NetServer.prototype.close.call(server, () => resolve());
  await promise;
  // Connections that another process took are not counted by the server.
  await Promise.all([...sockets].map(closed));
  clearTimeout(notice);
  clearTimeout(end);
  server.close(() => undefined);
}
