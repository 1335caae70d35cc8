import type { Socket } from 'node:net';
import { addressText } from '../core/listen-address.ts';
import { DEFAULT_BOUNDS } from '../http2/bounds.ts';
import { type DoorTelling, safely } from './door-telling.ts';
import type { GrpcDoor, GrpcDoorOptions } from './grpc-door.ts';
import type { HealthService } from './health-service.ts';
import { type Listener, startListener } from './listener.ts';
import { type Handshakes, startTls, type TlsTermination } from './tls-termination.ts';

/** What speaks HTTP/2 on the connections of a door. */
export interface DoorServer {
  /** Resolves when no connection is open, or after this long. */
  ended(timeoutMs: number): Promise<void>;
  /** Asks every connection to end; resolves when all have, or after this long. */
  drain(timeoutMs: number): Promise<void>;
  /** Ends all that is left. */
  stop(): void;
}

type OpenOptions = DoorTelling &
  Pick<
    GrpcDoorOptions,
    'address' | 'flag' | 'tls' | 'clock' | 'listen' | 'maxConnections' | 'handshakeTimeoutMs' | 'onError'
  >;

interface Behind {
  readonly server: DoorServer;
  readonly health: HealthService;
  /** Takes a connection, decrypted where it has to be. */
  readonly accept: (socket: Socket) => void;
}

/** Only Envoys come here, each with a connection per worker. */
const MAX_CONNECTIONS = 10_000;

/**
 * Opens a door of gRPC, whatever speaks behind it. It listens itself, so that addresses, socket files and connections are
 * ours to check, name and cut off.
 */
export async function openDoor(options: OpenOptions, behind: Behind): Promise<GrpcDoor> {
  const { address, flag = 'grpc-addr', clock, listen, onError = () => undefined } = options;
  const { maxConnections = MAX_CONNECTIONS } = options;
  const { onEnding } = safely(options);
  const { server, health, accept } = behind;
  let tls: TlsTermination | undefined;
  let listener: Listener;
  try {
    tls = options.tls && (await startTls(options.tls, handshakesOf(options, accept)));
    listener = await startListener({
      address,
      flag,
      maxConnections,
      onConnection: tls?.accept ?? accept,
      onDropped: (peer) => onEnding('connections', new Error(`There are ${maxConnections} connections`), peer),
      listen,
      onError,
    });
  } catch (error) {
    tls?.stop();
    server.stop();
    throw error;
  }
  let drained: Promise<void> | undefined;
  return {
    address: addressText(listener.address),
    setServing: (isServing) => health.setServing(isServing && drained === undefined),
    drain(timeoutMs, delayMs = 0) {
      const endMs = clock.monotonicMs() + timeoutMs;
      const leftMs = (): number => Math.max(0, endMs - clock.monotonicMs());
      drained ??= drain({ server, health, listener, tls }, { leftMs, delayMs });
      return drained;
    },
  };
}

function handshakesOf(options: OpenOptions, onSecure: (socket: Socket) => void): Handshakes {
  const { onEnding, onForeign } = safely(options);
  return {
    timeoutMs: options.handshakeTimeoutMs ?? DEFAULT_BOUNDS.handshakeTimeoutMs,
    onSecure,
    onPlain: (peer) => onForeign('no TLS', peer),
    onLate: (peer) => onEnding('handshake', new Error('The TLS handshake is not over'), peer),
  };
}

interface Parts extends Pick<Behind, 'server' | 'health'> {
  readonly listener: Listener;
  readonly tls: TlsTermination | undefined;
}

interface DrainTimes {
  readonly leftMs: () => number;
  readonly delayMs: number;
}

async function drain({ server, health, listener, tls }: Parts, { leftMs, delayMs }: DrainTimes): Promise<void> {
  health.setServing(false);
  await server.ended(Math.min(delayMs, leftMs()));
  tls?.stop();
  health.endWatches();
  listener.stop();
  await server.drain(leftMs());
  // What is left, connections that never became HTTP/2 among them, such as an unfinished TLS handshake.
  listener.destroy();
  server.stop();
}
