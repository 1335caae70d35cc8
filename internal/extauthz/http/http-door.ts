import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { BlockList, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { ListenAddress } from '../../core/listen-address.ts';
import { limitConnections } from '../../listen/connection-limit.ts';
import { DOOR_SOCKET_MODE, type Listen, listenOn } from '../../listen/listen.ts';
import { type TlsOptions, withCertificates } from '../tls-termination.ts';
import { drainConnections } from './drain.ts';
import { HttpHandler, type HttpHandlerOptions } from './http-handler.ts';
import { guardConnections } from './peer-gate.ts';
import { TrustedPeers } from './trusted-peers.ts';

export interface HttpDoorOptions extends HttpHandlerOptions {
  readonly address: ListenAddress;
  /** `--http-trusted-peers`. */
  readonly trustedPeers: BlockList;
  readonly onRefusedPeer: (address: string, refusedMeanwhile: number) => void;
  readonly tls: TlsOptions | undefined;
  /** In the place of `listenOn`. */
  readonly listen?: Listen | undefined;
  readonly patience?: Patience;
  /** Connections that there may be; as many more may be at their handshake. */
  readonly mostConnections?: number;
}

/** How long a head may take, and a whole message; and how often that is looked at. */
interface Patience {
  readonly headMs: number;
  readonly messageMs: number;
  readonly everyMs: number;
}

export interface HttpDoor {
  /** Where it really listens: the port that was chosen for port 0. */
  readonly address: ListenAddress;
  /**
   * Takes no more connections, answers what those that there are still ask, and cuts off what is left after this long.
   *
   * @param delayMs how long of that everything is taken as before, while health says otherwise; nobody waits where nobody
   *   is connected
   */
  drain(timeoutMs: number, delayMs?: number): Promise<void>;
}

/**
 * Heads are larger than the proxies' own bounds (Envoy's 60 KiB). A head or body that does not come is cut off; an idle
 * connection is the proxy's to close, as Envoy does after an hour: one that is closed here could be in use by then.
 */
const LIMITS: ServerOptions = Object.freeze({
  maxHeaderSize: 96 * 1024,
  keepAliveTimeout: 3_660_000,
  noDelay: true,
  // A check without Host is answered like any other that names none.
  requireHostHeader: false,
  insecureHTTPParser: false,
});
const PATIENCE: Patience = Object.freeze({ headMs: 10_000, messageMs: 15_000, everyMs: 2000 });
const FIRST_BYTE_MS = 30_000;
const IDLE_MS = 30_000;
const MAX_CONNECTIONS = 4096;

/** Starts the HTTP door: checks of Envoy's `http_service`, nginx and Traefik, told apart by the path alone. */
export async function startHttpDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  const { tls, address: asked, listen = listenOn } = options;
  const limits = limitsOf(options.patience ?? PATIENCE);
  const { server, stop } =
    tls === undefined
      ? { server: createServer(limits), stop: () => undefined }
      : await withCertificates(tls, (context) => createTlsServer({ ...limits, ...context }));
  const handler = new HttpHandler(options);
  // No bound that drops fields without a word: `headOf` refuses what is too much.
  server.maxHeadersCount = 0;
  limitConnections(server, {
    most: options.mostConnections ?? MAX_CONNECTIONS,
    firstByteMs: FIRST_BYTE_MS,
    idleMs: IDLE_MS,
    isTls: tls !== undefined,
  });
  server.on('connection', (socket: Socket) => handler.opened(socket));
  server.on('request', (request: IncomingMessage, response: ServerResponse) => handler.handle(request, response));
  // What is expected is the proxy's business: the check is answered all the same.
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) =>
    handler.handle(request, response),
  );
  server.on('connect', (_request: IncomingMessage, socket: Socket) => endRaw(socket, 405));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => endRaw(socket, statusOfError(error)));
  guardConnections(server, {
    peers: trustedPeersOf(options),
    clock: options.clock,
    isTls: tls !== undefined,
  });
  const address = await listen(server, { address: asked, flag: 'http-addr', socketMode: DOOR_SOCKET_MODE }).catch(
    (error: unknown) => {
      stop();
      throw error;
    },
  );
  server.on('error', options.onError);
  return {
    address,
    async drain(timeoutMs, delayMs = 0) {
      const delay = Math.min(delayMs, timeoutMs);
      if (delay > 0 && handler.sockets.size > 0) await pause(delay);
      stop();
      handler.isDraining = true;
      await drainConnections(server, handler.sockets, timeoutMs - delay);
      // Where another process listens the file is its own.
      if (address.kind === 'unix' && options.listen === undefined) rmSync(address.path, { force: true });
    },
  };
}

const trustedPeersOf = ({ trustedPeers, address, clock, onRefusedPeer }: HttpDoorOptions): TrustedPeers =>
  new TrustedPeers({
    networks: trustedPeers,
    isUnixSocket: address.kind === 'unix',
    clock,
    onRefused: onRefusedPeer,
  });

const limitsOf = ({ headMs, messageMs, everyMs }: Patience): ServerOptions => ({
  ...LIMITS,
  headersTimeout: headMs,
  requestTimeout: messageMs,
  connectionsCheckingInterval: everyMs,
});

/** What is no request, or one that no dialect knows, is told so and its connection ended. */
function endRaw(socket: Socket, status: number): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const head = `HTTP/1.1 ${status} Refused\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`;
  socket.end(head, () => socket.destroy());
}

function statusOfError({ code }: NodeJS.ErrnoException): number {
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
}
