import type { Socket } from 'node:net';
import { createServer, type Server, type TlsOptions as ServerContext } from 'node:tls';
import type { Clock } from '../core/clock.ts';
import { type Certificates, readCertificates, type TlsFileNames, watchCertificates } from './certificates.ts';

export interface TlsOptions {
  readonly files: TlsFileNames;
  readonly reloadEveryMs: number;
  readonly clock: Pick<Clock, 'wallMs'>;
  /**
   * Told of the first certificate, of every new one, and of the one that there is when its files can be used again, with
   * the moments when it and the client authorities end.
   */
  readonly onCertificate: (notAfterMs: number, clientCaNotAfterMs: number | undefined) => void;
  readonly onError: (error: unknown) => void;
}

export interface TlsTermination {
  /** Takes an accepted connection; hands it on when its handshake is done, or drops it. */
  accept(socket: Socket): void;
  stop(): void;
}

/** What becomes of connections that are to be decrypted. */
export interface Handshakes {
  readonly timeoutMs: number;
  readonly onSecure: (socket: Socket) => void;
  /** Told of a peer that speaks no TLS. */
  readonly onPlain: (peer: string) => void;
  /** Told of one whose handshake took too long. */
  readonly onLate: (peer: string) => void;
}

const HANDSHAKE_MS = 10_000;
/** What OpenSSL makes of a peer that begins with something else than TLS. */
const NO_TLS: ReadonlySet<string> = new Set([
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_WRONG_VERSION_NUMBER',
]);
const LATE = 'ERR_TLS_HANDSHAKE_TIMEOUT';

/**
 * Terminates TLS, and mTLS where there are authorities of clients, with certificates that are read again from disk. One
 * that cannot be used, or is over, leaves the old one in place; connections keep the one they began with.
 *
 * @throws {PosternError} ERR_POSTERN_TLS when the first ones cannot be used
 */
export async function startTls(
  options: TlsOptions,
  { timeoutMs, onSecure, onPlain, onLate }: Handshakes,
): Promise<TlsTermination> {
  const { server, stop } = await withCertificates(options, (tls) =>
    createServer({ ...tls, handshakeTimeout: timeoutMs, ALPNProtocols: ['h2'] }),
  );
  server.on('secureConnection', (socket) => {
    socket.on('error', () => undefined);
    onSecure(socket);
  });
  server.on('tlsClientError', ({ code = '' }: NodeJS.ErrnoException, socket) => {
    const { remoteAddress = '' } = socket;
    if (NO_TLS.has(code)) onPlain(remoteAddress);
    if (code !== LATE) return;
    // Node leaves it open.
    socket.destroy();
    onLate(remoteAddress);
  });
  return { accept: (socket) => void server.emit('connection', socket), stop };
}

/**
 * A TLS server of any kind whose certificates are read again from disk.
 *
 * @throws {PosternError} ERR_POSTERN_TLS when the first ones cannot be used
 */
export async function withCertificates<S extends Server>(
  { files, reloadEveryMs, clock, onCertificate, onError }: TlsOptions,
  make: (tls: ServerContext) => S,
): Promise<{ readonly server: S; stop(): void }> {
  const first = await readCertificates(files);
  const requiresClient = files.clientCaFile !== undefined;
  const server = make({
    ...contextOf(first),
    handshakeTimeout: HANDSHAKE_MS,
    requestCert: requiresClient,
    rejectUnauthorized: requiresClient,
  });
  const watch = watchCertificates(first, {
    files,
    everyMs: reloadEveryMs,
    clock,
    onError,
    onChange(certificates) {
      server.setSecureContext(contextOf(certificates));
      onCertificate(certificates.notAfterMs, certificates.clientCaNotAfterMs);
    },
  });
  onCertificate(first.notAfterMs, first.clientCaNotAfterMs);
  return { server, stop: () => watch.stop() };
}

function contextOf({ certificate, privateKey, clientCa }: Certificates): ServerContext {
  const context: ServerContext = { cert: certificate, key: privateKey, minVersion: 'TLSv1.2' };
  return clientCa === undefined ? context : { ...context, ca: clientCa };
}
