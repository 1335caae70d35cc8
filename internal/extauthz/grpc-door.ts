import { existsSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type handleUnaryCall, Server, type ServerOptions, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { HealthImplementation } from 'grpc-health-check';
import type { Clock } from '../core/clock.ts';
import { PosternError } from '../core/error.ts';
import { addressText, type ListenAddress } from '../core/listen-address.ts';
import type { CheckBytes } from './check.ts';
import { serverTls, type TlsOptions } from './credentials.ts';

export const AUTHORIZATION = 'envoy.service.auth.v3.Authorization';

/** The same place from here and from the bundle, which lies at `dist/cmd/postern`. */
const PROTO_ROOT = fileURLToPath(new URL('../../proto/', import.meta.url));

export interface GrpcDoorOptions {
  readonly address: ListenAddress;
  readonly tls: TlsOptions | undefined;
  readonly check: CheckBytes;
  readonly clock: Clock;
  readonly maxReceiveBytes: number;
  readonly maxConnectionAgeMs: number;
  readonly hasReflection: boolean;
}

export interface GrpcDoor {
  /** `host:port` with the port that was bound, or `unix:/path`. */
  readonly address: string;
  /** What grpc.health.v1 says, for the whole server and for the authorization service. */
  setServing(isServing: boolean): void;
  /** Says NOT_SERVING, lets checks in flight finish for at most this long, then closes. */
  drain(timeoutMs: number): Promise<void>;
}

const bytesAsTheyAre = (bytes: Buffer): Buffer => bytes;

const CHECK_METHOD = {
  path: `/${AUTHORIZATION}/Check`,
  requestStream: false,
  responseStream: false,
  requestSerialize: bytesAsTheyAre,
  requestDeserialize: bytesAsTheyAre,
  responseSerialize: bytesAsTheyAre,
  responseDeserialize: bytesAsTheyAre,
} as const;

/** Starts the gRPC door: Check, health and, where asked for, reflection. Behind it are only bytes. */
export async function startGrpcDoor(options: GrpcDoorOptions): Promise<GrpcDoor> {
  const server = new Server(serverOptions(options));
  server.addService({ Check: CHECK_METHOD }, { Check: checkHandler(options) });
  const health = new HealthImplementation({ '': 'NOT_SERVING', [AUTHORIZATION]: 'NOT_SERVING' });
  health.addToServer(server);
  if (options.hasReflection) await addReflection(server);
  const tls = await serverTls(options.tls);
  const bound = await bind(server, options.address, tls.credentials);
  const setServing = (isServing: boolean): void => {
    const serving = isServing ? 'SERVING' : 'NOT_SERVING';
    health.setStatus('', serving);
    health.setStatus(AUTHORIZATION, serving);
  };
  return {
    address: bound,
    setServing,
    async drain(timeoutMs) {
      setServing(false);
      tls.stop();
      await shutDown(server, timeoutMs);
    },
  };
}

function serverOptions({ maxReceiveBytes, maxConnectionAgeMs }: GrpcDoorOptions): ServerOptions {
  return {
    'grpc.max_receive_message_length': maxReceiveBytes,
    'grpc.max_concurrent_streams': 1024,
    // Envoy keeps its connections for ever: they end now and then, with jitter, so that new replicas get their share.
    'grpc.max_connection_age_ms': maxConnectionAgeMs,
    'grpc.max_connection_age_grace_ms': 10_000,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.keepalive_permit_without_calls': 1,
    // Megabytes of HTTP/2 state that one connection may hold.
    'grpc-node.max_session_memory': 64,
    'grpc.enable_channelz': 0,
  };
}

function checkHandler({ check, clock }: GrpcDoorOptions): handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    const answer = check(call.request, {
      deadlineMs: monotonicDeadline(call.getDeadline(), clock),
      isCancelled: () => call.cancelled,
      metadata: call.metadata,
    });
    if (!(answer instanceof Promise)) {
      callback(null, asBuffer(answer));
      return;
    }
    answer.then(
      (bytes) => callback(null, asBuffer(bytes)),
      // The check never rejects; should it do so all the same, Envoy gets an error, never an empty message.
      () => callback({ code: status.INTERNAL, details: 'internal' }),
    );
  };
}

/** The same bytes in the class that grpc-js writes. */
const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function monotonicDeadline(deadline: Date | number, clock: Clock): number | undefined {
  const wallMs = typeof deadline === 'number' ? deadline : deadline.getTime();
  return Number.isFinite(wallMs) ? clock.monotonicMs() + (wallMs - clock.wallMs()) : undefined;
}

async function addReflection(server: Server): Promise<void> {
  const { ReflectionService } = await import('@grpc/reflection');
  const definition = loadSync('envoy/service/auth/v3/external_auth.proto', {
    includeDirs: [PROTO_ROOT],
    keepCase: true,
  });
  new ReflectionService(definition, { services: [AUTHORIZATION] }).addToServer(server);
}

async function bind(
  server: Server,
  address: ListenAddress,
  credentials: Parameters<Server['bindAsync']>[1],
): Promise<string> {
  if (address.kind === 'unix') await clearStaleSocket(address.path);
  // "Every interface" is both families where the machine has both.
  const target = addressText(address.kind === 'tcp' && address.host === '' ? { ...address, host: '::' } : address);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(target, credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(cannotListen(target, error)),
    );
  });
  return address.kind === 'unix' ? target : target.replace(/:\d+$/, `:${port}`);
}

function cannotListen(target: string, error: Error): PosternError {
  const inUse = /EADDRINUSE/.test(error.message);
  const why = inUse ? 'it is in use: stop what listens there, or choose another with --grpc-addr' : error.message;
  return new PosternError('ERR_POSTERN_LISTEN', `Cannot listen on ${target}: ${why}`, { cause: error });
}

/** Removes the socket file of a process that is gone; one that still answers is left alone. */
async function clearStaleSocket(path: string): Promise<void> {
  if (!existsSync(dirname(path)))
    throw new PosternError(
      'ERR_POSTERN_LISTEN',
      `Cannot listen on unix:${path}: there is no directory "${dirname(path)}"`,
    );
  if (!existsSync(path)) return;
  if (!statSync(path).isSocket())
    throw new PosternError('ERR_POSTERN_LISTEN', `Cannot listen on unix:${path}: the file there is no socket`);
  const isLive = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.on('error', () => resolve(false));
  });
  if (isLive) throw new PosternError('ERR_POSTERN_LISTEN', `Cannot listen on unix:${path}: it is in use`);
  rmSync(path, { force: true });
}

/** GOAWAY to every connection; whatever has not finished in time is cut off. */
function shutDown(server: Server, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, timeoutMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
