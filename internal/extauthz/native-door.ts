import type { CallBound } from '../core/door-bounds.ts';
import type { ListenAddress } from '../core/listen-address.ts';
import { DEFAULT_BOUNDS, type Http2Bounds } from '../http2/bounds.ts';
import type { GrpcMethod, GrpcMethods, UnaryResult } from '../http2/grpc-method.ts';
import { STATUS } from '../http2/grpc-status.ts';
import { Http2Server } from '../http2/server.ts';
import type { CheckBytes } from './check.ts';
import { isAnswer } from './check-answer.ts';
import { AGE_GRACE_MS, AUTHORIZATION, type GrpcDoor, type GrpcDoorOptions, startGrpcDoor } from './grpc-door.ts';
import { GrpcServices } from './grpc-services.ts';
import { HealthService } from './health-service.ts';
import { openDoor } from './open-door.ts';

export interface NativeDoorOptions
  extends Omit<GrpcDoorOptions, 'hasReflection' | 'flag' | 'check' | 'handshakeTimeoutMs' | 'maxConcurrentStreams'> {
  readonly check: CheckBytes;
  /** Where grpc-js serves reflection; undefined: nowhere. */
  readonly auxAddress?: ListenAddress | undefined;
  readonly bounds?: Partial<Http2Bounds>;
  readonly onRefused?: (bound: CallBound) => void;
}

const NOTHING = (): void => undefined;

/**
 * Starts the gRPC door on sockets of our own: Check and health. It behaves as `startGrpcDoor`'s. What else there is,
 * reflection, stays with grpc-js, on an address of its own.
 */
export async function startNativeDoor(options: NativeDoorOptions): Promise<GrpcDoor> {
  const { auxAddress: address, bounds } = options;
  if (address === undefined) return startChecks(options);
  const aux = await startGrpcDoor({
    ...options,
    address,
    flag: 'grpc-aux-addr',
    check: undefined,
    hasReflection: true,
    ...(bounds?.handshakeTimeoutMs !== undefined && { handshakeTimeoutMs: bounds.handshakeTimeoutMs }),
  });
  const checks = await startChecks(options).catch(async (error: unknown) => {
    await aux.drain(0);
    throw error;
  });
  return {
    address: checks.address,
    auxAddress: aux.address,
    setServing(isServing) {
      checks.setServing(isServing);
      aux.setServing(isServing);
    },
    drain: (timeoutMs, delayMs) =>
      Promise.all([checks.drain(timeoutMs, delayMs), aux.drain(timeoutMs)]).then(() => undefined),
  };
}

function startChecks(options: NativeDoorOptions): Promise<GrpcDoor> {
  const { clock } = options;
  const bounds = { ...DEFAULT_BOUNDS, ...options.bounds };
  const health = new HealthService([AUTHORIZATION]);
  const server = new Http2Server({
    bounds,
    methods: methodsOf(options.check, health),
    maxMessageBytes: options.maxReceiveBytes,
    maxAgeMs: options.maxConnectionAgeMs,
    graceMs: options.connectionAgeGraceMs ?? AGE_GRACE_MS,
    monotonicMs: () => clock.monotonicMs(),
    random: options.random ?? Math.random,
    onEnding: options.onEnding ?? NOTHING,
    onRefused: options.onRefused ?? NOTHING,
    onForeign: options.onForeign ?? NOTHING,
  });
  const { handshakeTimeoutMs } = bounds;
  return openDoor({ ...options, handshakeTimeoutMs }, { server, health, accept: (socket) => server.accept(socket) });
}

function methodsOf(check: CheckBytes, health: HealthService): GrpcMethods {
  const services = new GrpcServices();
  health.addTo(services);
  return services.methods.set(`/${AUTHORIZATION}/Check`, checkMethod(check));
}

/** Instead of an answer. */
const FAILED: UnaryResult = Object.freeze({ code: STATUS.internal, message: 'internal' });

function checkMethod(check: CheckBytes): GrpcMethod {
  const answerOf = (bytes: unknown): UnaryResult => (isAnswer(bytes) ? bytes : FAILED);
  return {
    kind: 'unary',
    call(message, call) {
      const given = check(message, call);
      return given instanceof Promise ? given.then(answerOf) : answerOf(given);
    },
  };
}
