import { chmodSync, existsSync, rmSync, statSync } from 'node:fs';
import { connect, type ListenOptions, type Server } from 'node:net';
import { dirname } from 'node:path';
import { PosternError } from '../core/error.ts';
import { addressText, type ListenAddress } from '../core/listen-address.ts';

export interface ListenTarget {
  readonly address: ListenAddress;
  /** The option that gives `address`, without dashes, for messages. */
  readonly flag: string;
  /** Permissions of a socket file. */
  readonly socketMode: number;
}

/** Of the socket files of doors, for owner and group: a proxy runs beside us as somebody else, in the group of the shared volume. */
export const DOOR_SOCKET_MODE = 0o660;

/** Makes a server take connections; gives where it really listens. `listenOn`, where the process listens itself. */
export type Listen = (server: Server, target: ListenTarget) => Promise<ListenAddress>;

const IS_TAKEN = 'something else listens there; stop it or choose another address';

/**
 * Makes a server listen on TCP or a unix socket. A socket file whose process is gone is replaced, one that answers is
 * left alone, and so is a file that is no socket.
 *
 * @returns where it really listens: the port that was chosen for port 0, the interface for an empty host
 * @throws {PosternError} ERR_POSTERN_LISTEN, which names the address and the flag and says what to do
 */
export async function listenOn(server: Server, target: ListenTarget): Promise<ListenAddress> {
  const { address, socketMode } = target;
  if (address.kind === 'unix') await clearStaleSocket(address.path, target);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onError = (error: NodeJS.ErrnoException): void => reject(cannotListen(target, reasonOf(error), error));
  server.once('error', onError);
  server.listen(optionsOf(address), () => {
    server.off('error', onError);
    resolve();
  });
  await promise;
  if (address.kind === 'unix') chmodSync(address.path, socketMode);
  return boundAddress(server, address);
}

/** What to say of an address that cannot be used. */
export function cannotListen(
  { address, flag }: Pick<ListenTarget, 'address' | 'flag'>,
  why: string,
  cause?: unknown,
): PosternError {
  const message = `Cannot listen on "${addressText(address)}" (--${flag}): ${why}`;
  return new PosternError('ERR_POSTERN_LISTEN', message, { cause });
}

/** Without a host Node takes every interface, of both families where the machine has both. */
function optionsOf(address: ListenAddress): ListenOptions {
  if (address.kind === 'unix') return { path: address.path };
  return address.host === '' ? { port: address.port } : { port: address.port, host: address.host };
}

function boundAddress(server: Server, asked: ListenAddress): ListenAddress {
  const bound = server.address();
  if (asked.kind === 'unix' || bound === null || typeof bound === 'string') return asked;
  return { kind: 'tcp', host: asked.host === '' ? bound.address : asked.host, port: bound.port };
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EADDRINUSE':
      return IS_TAKEN;
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

async function clearStaleSocket(path: string, target: ListenTarget): Promise<void> {
  const directory = dirname(path);
  if (!existsSync(directory)) throw cannotListen(target, `there is no directory "${directory}"`);
  const file = statSync(path, { throwIfNoEntry: false });
  if (file === undefined) return;
  if (!file.isSocket()) throw cannotListen(target, 'there is a file that is no socket');
  if (await isServed(path)) throw cannotListen(target, IS_TAKEN);
  rmSync(path, { force: true });
}

/** Whether a process still takes connections on a socket file. What refuses for another reason counts as one. */
function isServed(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = connect(path);
  probe.on('connect', () => {
    probe.destroy();
    resolve(true);
  });
  probe.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  return promise;
}
