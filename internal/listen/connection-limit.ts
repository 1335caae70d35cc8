import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface ConnectionLimit {
  readonly most: number;
  /** How long a new connection may take until its first byte. */
  readonly firstByteMs: number;
  /** How long a connection with a request may say and take nothing. */
  readonly idleMs: number;
  /** Whether requests come by TLS: a connection then counts from its handshake, which the server bounds itself. */
  readonly isTls?: boolean;
}

/**
 * Keeps connections that ask nothing from locking out those that do: each has to begin soon, and of more than `most`
 * the oldest that has no request in progress goes. Where each has one, the new connection goes.
 */
export function limitConnections(server: Server, { most, firstByteMs, idleMs, isTls = false }: ConnectionLimit): void {
  /** Requests in progress by connection, the oldest first. */
  const inProgress = new Map<Socket, number>();
  const count = (socket: Socket, by: number): void => {
    const before = inProgress.get(socket);
    if (before !== undefined) inProgress.set(socket, before + by);
  };
  server.on(isTls ? 'secureConnection' : 'connection', (socket: Socket) => {
    if (inProgress.size >= most) {
      const idle = oldestIdle(inProgress);
      if (idle === undefined) return void socket.destroy();
      inProgress.delete(idle);
      idle.destroy();
    }
    inProgress.set(socket, 0);
    socket.setTimeout(firstByteMs);
    socket.once('close', () => inProgress.delete(socket));
  });
  server.on('request', ({ socket }: { readonly socket: Socket }, response: ServerResponse) => {
    socket.setTimeout(idleMs);
    count(socket, 1);
    response.once('close', () => count(socket, -1));
  });
}

function oldestIdle(inProgress: ReadonlyMap<Socket, number>): Socket | undefined {
  for (const [socket, requests] of inProgress) if (requests === 0) return socket;
  return undefined;
}
