import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface ConnectionLimit {
  readonly most: number;
  /** How long a new connection may take until its first byte. */
  readonly firstByteMs: number;
  /** How long a connection with a request may say and take nothing. */
  readonly idleMs: number;
  /** Whether requests come by TLS: a connection then has its place from its handshake, of which `most` may be in progress. */
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
  // Whatever comes beyond both is dropped before anything is made of it.
  server.maxConnections = 2 * most;
  if (isTls) limitHandshakes(server, most);
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

/** Of more than `most` handshakes in progress the oldest goes; how long one may take is the server's to say. */
function limitHandshakes(server: Server, most: number): void {
  const inProgress = new Map<string, Socket>();
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    // Those of a unix socket have no names; of them there is the server's own bound.
    if (peer === undefined) return;
    const [oldest] = inProgress;
    if (inProgress.size >= most && oldest !== undefined) {
      inProgress.delete(oldest[0]);
      oldest[1].destroy();
    }
    inProgress.set(peer, socket);
    socket.once('close', () => {
      if (inProgress.get(peer) === socket) inProgress.delete(peer);
    });
  });
  server.on('secureConnection', (socket: Socket) => {
    const peer = peerOf(socket);
    if (peer !== undefined) inProgress.delete(peer);
  });
}

/** The same for a connection before its handshake and behind it, which Node gives as two sockets. */
const peerOf = ({ remoteAddress, remotePort, localAddress }: Socket): string | undefined =>
  remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort} ${localAddress}`;

function oldestIdle(inProgress: ReadonlyMap<Socket, number>): Socket | undefined {
  for (const [socket, requests] of inProgress) if (requests === 0) return socket;
  return undefined;
}
