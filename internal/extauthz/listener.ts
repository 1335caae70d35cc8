import { createServer, type Socket } from 'node:net';
import type { ListenAddress } from '../core/listen-address.ts';
import { DOOR_SOCKET_MODE, type Listen, listenOn } from '../listen/listen.ts';

export interface ListenerOptions {
  readonly address: ListenAddress;
  /** The option that gives `address`, without dashes, for messages. */
  readonly flag: string;
  readonly maxConnections: number;
  readonly onConnection: (socket: Socket) => void;
  /** Told of a connection beyond `maxConnections`, which is gone. */
  readonly onDropped: (peer: string) => void;
  readonly listen?: Listen | undefined;
  /** What goes wrong later, e.g. no file descriptors left; the listener goes on. */
  readonly onError: (error: unknown) => void;
}

export interface Listener {
  /** Where it really listens: the port that was chosen for port 0. */
  readonly address: ListenAddress;
  /** Takes no more connections; those that there are stay. */
  stop(): void;
  /** Cuts off every connection that is left. */
  destroy(): void;
}

/**
 * Takes connections on TCP or a unix socket.
 *
 * @throws {PosternError} ERR_POSTERN_LISTEN, which names the address and says what to do
 */
export async function startListener(options: ListenerOptions): Promise<Listener> {
  const { address, flag, maxConnections, onConnection, onDropped, onError, listen = listenOn } = options;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A connection that breaks is the protocol's business; here it must only not be an uncaught error.
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  server.maxConnections = maxConnections;
  server.on('drop', (dropped) => onDropped(dropped?.remoteAddress ?? ''));
  const bound = await listen(server, { address, flag, socketMode: DOOR_SOCKET_MODE });
  server.on('error', onError);
  return {
    address: bound,
    stop: () => void server.close(),
    destroy: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}
