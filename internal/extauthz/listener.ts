import { chmodSync, existsSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { PosternError } from '../core/error.ts';
import { addressText, type ListenAddress } from '../core/listen-address.ts';

export interface ListenerOptions {
  readonly address: ListenAddress;
  /** The flag that gives `address`, for messages. */
  readonly flag: string;
  readonly onConnection: (socket: Socket) => void;
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

/** Only Envoys come here, each with a connection per worker. */
const MAX_CONNECTIONS = 10_000;
/** Owner and group: Envoy runs beside us as somebody else, in the group of the shared volume. */
const SOCKET_MODE = 0o660;

/**
 * Listens on TCP or a unix socket. A socket file whose process is gone is replaced, one that answers is left alone.
 *
 * @throws {PosternError} ERR_POSTERN_LISTEN, which names the address and says what to do
 */
export async function startListener(options: ListenerOptions): Promise<Listener> {
  const { address, onConnection, onError } = options;
  if (address.kind === 'unix') await clearStaleSocket(address.path, options);
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A connection that breaks is the protocol's business; here it must only not be an uncaught error.
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listening(server, options);
  server.on('error', onError);
  if (address.kind === 'unix') chmodSync(address.path, SOCKET_MODE);
  return {
    address: boundAddress(server, address),
    stop: () => void server.close(),
    destroy: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function listening(server: Server, options: ListenerOptions): Promise<void> {
  const { address } = options;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onError = (error: NodeJS.ErrnoException): void => reject(cannotListen(options, reasonOf(error), error));
  server.once('error', onError);
  server.listen(targetOf(address), () => {
    server.off('error', onError);
    resolve();
  });
  return promise;
}

/** Without a host Node takes every interface, of both families where the machine has both. */
function targetOf(address: ListenAddress): ListenOptions {
  if (address.kind === 'unix') return { path: address.path };
  return address.host === '' ? { port: address.port } : { port: address.port, host: address.host };
}

function boundAddress(server: Server, asked: ListenAddress): ListenAddress {
  const bound = server.address();
  if (asked.kind === 'unix' || bound === null || typeof bound === 'string') return asked;
  return { kind: 'tcp', host: asked.host === '' ? bound.address : asked.host, port: bound.port };
}

function cannotListen({ address, flag }: ListenerOptions, why: string, cause?: unknown): PosternError {
  return new PosternError('ERR_POSTERN_LISTEN', `Cannot listen on "${addressText(address)}" (--${flag}): ${why}`, {
    cause,
  });
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'something else listens there; stop it or choose another address';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'this machine has no such address';
    case 'EACCES':
    case 'EPERM':
      return 'it is not permitted; choose a port above 1023 or a directory that can be written to';
    default:
      return message;
  }
}

async function clearStaleSocket(path: string, options: ListenerOptions): Promise<void> {
  const directory = dirname(path);
  if (!existsSync(directory)) throw cannotListen(options, `there is no directory "${directory}"`);
  const file = statSync(path, { throwIfNoEntry: false });
  if (file === undefined) return;
  if (!file.isSocket()) throw cannotListen(options, 'there is a file that is no socket');
  if (await answers(path))
    throw cannotListen(options, 'something else listens there; stop it or choose another address');
  rmSync(path, { force: true });
}

/** Whether a process still takes connections on a socket file. What refuses for another reason counts as one. */
function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = connect(path);
  probe.on('connect', () => {
    probe.destroy();
    resolve(true);
  });
  probe.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  return promise;
}
