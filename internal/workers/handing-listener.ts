import { createServer, type Socket } from 'node:net';
import type { ListenAddress } from '../core/listen-address.ts';
import { DOOR_SOCKET_MODE, listenOn } from '../listen/listen.ts';

export interface HandingListenerOptions {
  readonly address: ListenAddress;
  /** The option that gives `address`, without dashes. */
  readonly flag: string;
  /** Hands a connection to whoever answers it; nothing of it was read. */
  readonly give: (connection: Socket) => void;
  /** What goes wrong later; the listener goes on. */
  readonly onError: (error: unknown) => void;
}

export interface HandingListener {
  readonly address: ListenAddress;
  /** Takes no more connections. */
  stop(): void;
}

/** Connections that nobody was given yet; of those that workers have each has its own bound. */
const MOST_WAITING = 10_000;

/**
 * Takes connections for other processes. It listens as doors do, so that addresses, socket files and permissions are
 * the same, and what is wrong with them is said once.
 *
 * @throws {PosternError} ERR_POSTERN_LISTEN, which names the address and says what to do
 */
export async function startHandingListener(options: HandingListenerOptions): Promise<HandingListener> {
  const { address, flag, give, onError } = options;
  const server = createServer({ pauseOnConnect: true }, (connection) => {
    connection.on('error', () => undefined);
    give(connection);
  });
  server.maxConnections = MOST_WAITING;
  const bound = await listenOn(server, { address, flag, socketMode: DOOR_SOCKET_MODE });
  server.on('error', onError);
  return { address: bound, stop: () => void server.close() };
}
