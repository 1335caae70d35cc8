import { fileURLToPath } from 'node:url';
import {
  type handleUnaryCall,
  Server,
  type ServerOptions,
  type ServerUnaryCall,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Clock } from '../core/clock.ts';
import type { Ending } from '../core/door-bounds.ts';
import type { ListenAddress } from '../core/listen-address.ts';
import { DEFAULT_BOUNDS } from '../http2/bounds.ts';
import type { ForeignProtocol } from '../http2/preface.ts';
import type { Listen } from '../listen/listen.ts';
import type { CheckBytes, DoorCall } from './check.ts';
import { isAnswer } from './check-answer.ts';
import { GrpcConnections } from './connections.ts';
import { HealthService } from './health-service.ts';
import { openDoor } from './open-door.ts';
import type { TlsOptions } from './tls-termination.ts';

export const AUTHORIZATION = 'envoy.service.auth.v3.Authorization';

export const AGE_GRACE_MS = 10_000;

/** The same place from here and from the bundle, which lies at `dist/cmd/postern`. */
const PROTO_ROOT = fileURLToPath(new URL('../../proto/', import.meta.url));

export interface GrpcDoorOptions {
  readonly address: ListenAddress;
  /** The option that gives `address`, without dashes, for messages; `grpc-addr` unless told otherwise. */
  readonly flag?: string;
  readonly tls: TlsOptions | undefined;
  /** undefined: no checks here, only what goes with them. */
  readonly check: CheckBytes | undefined;
  readonly clock: Clock;
  /** Above Envoy's `max_request_bytes` and all headers; what is larger is answered RESOURCE_EXHAUSTED. */
  readonly maxReceiveBytes: number;
  /** Envoy keeps its connections for ever; they end now and then, so that new replicas get their share. */
  readonly maxConnectionAgeMs: number;
  /** How long a connection that is too old may take for its last calls. */
  readonly connectionAgeGraceMs?: number;
  /**
   * As many as at the native door, unless told otherwise. grpc-js keeps the parts of a message until it is whole, and
   * nothing of it bounds them: HTTP/2's windows open again as it reads, `max_session_memory` counts Node's own state. What
   * a peer can make one connection hold is this many messages of `maxReceiveBytes`, which is therefore no larger than it
   * needs to be.
   */
  readonly maxConcurrentStreams?: number;
  /** 0 ≤ x < 1: jitter of the connections' age. */
  readonly random?: () => number;
  readonly hasReflection: boolean;
  /** In the place of `listenOn`. */
  readonly listen?: Listen | undefined;
  /** Most connections at a time; 10,000 unless told otherwise. */
  readonly maxConnections?: number;
  /** How long a TLS handshake may take. */
  readonly handshakeTimeoutMs?: number;
  /** What goes wrong with the listener while it listens. */
  readonly onError?: (error: unknown) => void;
  /** Told why a connection is ended that nobody asked to end. */
  readonly onEnding?: (ending: Ending, error: unknown, peer: string) => void;
  /** A peer speaks something else than HTTP/2, or no TLS where there is some. */
  readonly onForeign?: (protocol: ForeignProtocol | 'no TLS', peer: string) => void;
}

export interface GrpcDoor {
  /** `host:port` with the port that was bound, or `unix:/path`. */
  readonly address: string;
  /** The same of where reflection is served, where that is an address of its own. */
  readonly auxAddress?: string;
  /** What grpc.health.v1 says, for the whole server and for the authorization service. */
  setServing(isServing: boolean): void;
  /**
   * Says NOT_SERVING, takes no more connections, asks those that there are to end, and evaluates what they still send;
   * cuts off what is left after this long.
   *
   * @param delayMs how long of that everything is taken as before, so that who asks for health chooses another one
   *   first; nobody waits where nobody is connected
   */
  drain(timeoutMs: number, delayMs?: number): Promise<void>;
}

/** Starts the gRPC door: Check, health and, where asked for, reflection. Behind it are only bytes. */
export async function startGrpcDoor(options: GrpcDoorOptions): Promise<GrpcDoor> {
  const server = new Server(serverOptions(options));
  const { check } = options;
  if (check !== undefined) server.addService(SERVICE, { Check: checkHandler(check, options.clock) });
  const health = new HealthService([AUTHORIZATION]);
  health.addTo(server);
  if (options.hasReflection) await addReflection(server);
  const connections = new GrpcConnections(server, {
    maxAgeMs: options.maxConnectionAgeMs,
    graceMs: options.connectionAgeGraceMs ?? AGE_GRACE_MS,
    random: options.random ?? Math.random,
  });
  return openDoor(options, { server: connections, health, accept: (socket) => connections.accept(socket) });
}

function serverOptions(options: GrpcDoorOptions): ServerOptions {
  return {
    'grpc.max_receive_message_length': options.maxReceiveBytes,
    'grpc.max_concurrent_streams': options.maxConcurrentStreams ?? DEFAULT_BOUNDS.maxStreams,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.keepalive_permit_without_calls': 1,
    // Megabytes of HTTP/2 state that one connection may hold.
    'grpc-node.max_session_memory': 64,
    'grpc.enable_channelz': 0,
  };
}

const bytesAsTheyAre = (bytes: Buffer): Buffer => bytes;

const SERVICE: ServiceDefinition = {
  Check: {
    path: `/${AUTHORIZATION}/Check`,
    requestStream: false,
    responseStream: false,
    requestSerialize: bytesAsTheyAre,
    requestDeserialize: bytesAsTheyAre,
    responseSerialize: bytesAsTheyAre,
    responseDeserialize: bytesAsTheyAre,
  },
};

/** Instead of an answer. */
const FAILED = Object.freeze({ code: status.INTERNAL, details: 'internal' });

function checkHandler(check: CheckBytes, clock: Clock): handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    const answer = (bytes: unknown): void => {
      if (isAnswer(bytes)) callback(null, asBuffer(bytes));
      else callback(FAILED);
    };
    let given: Uint8Array | Promise<Uint8Array>;
    try {
      given = check(call.request, new UnaryCall(call, clock));
    } catch {
      callback(FAILED);
      return;
    }
    if (given instanceof Promise) given.then(answer, () => callback(FAILED));
    else answer(given);
  };
}

class UnaryCall implements DoorCall {
  readonly deadlineMs: number | undefined;
  readonly #call: ServerUnaryCall<Buffer, Buffer>;

  constructor(call: ServerUnaryCall<Buffer, Buffer>, clock: Clock) {
    this.#call = call;
    this.deadlineMs = monotonicDeadline(call.getDeadline(), clock);
  }

  isCancelled(): boolean {
    return this.#call.cancelled;
  }

  get metadata(): DoorCall['metadata'] {
    return this.#call.metadata;
  }

  onCancel(listener: () => void): void {
    this.#call.on('cancelled', listener);
  }
}

/** The same bytes in the class that grpc-js writes. */
const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** `grpc-timeout`, which grpc-js gives as wall time. */
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
