// Callers of the door: a real gRPC client that speaks bytes, and what a test needs to start a door for it.
import {
  type CallOptions,
  ChannelCredentials,
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { systemClock } from '../../internal/core/clock.ts';
import type { CheckBytes } from '../../internal/extauthz/check.ts';
import {
  AUTHORIZATION,
  type GrpcDoor,
  type GrpcDoorOptions,
  startGrpcDoor,
} from '../../internal/extauthz/grpc-door.ts';
import { type NativeDoorOptions, startNativeDoor } from '../../internal/extauthz/native-door.ts';

export const CHECK_PATH = `/${AUTHORIZATION}/Check`;
const bytesAsTheyAre = (bytes: Buffer): Buffer => bytes;

export type Transport = 'grpc-js' | 'native';
export const TRANSPORTS: readonly Transport[] = ['grpc-js', 'native'];
let transport: Transport = 'grpc-js';

/** Which door `startDoor` starts from now on: one contract, so the same tests for all. */
export function useTransport(wanted: Transport): void {
  transport = wanted;
}

export const usedTransport = (): Transport => transport;

const doors = new Set<GrpcDoor>();
const clients = new Set<DoorClient>();

/** For `after`: what a failed test left open would keep the process alive. */
export async function closeAll(): Promise<void> {
  for (const client of clients) client.close();
  await Promise.all([...doors].map((door) => door.drain(0)));
}

/** A door on a free port of this machine that answers every check with its own bytes, unless told otherwise. */
export async function startDoor(
  options: Partial<GrpcDoorOptions> & Partial<NativeDoorOptions> = {},
  over: Transport = transport,
): Promise<GrpcDoor> {
  const check: CheckBytes = (bytes) => bytes;
  const start = over === 'native' ? startNativeDoor : startGrpcDoor;
  const door = await start({
    address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
    tls: undefined,
    check,
    clock: systemClock,
    maxReceiveBytes: 64 * 1024,
    maxConnectionAgeMs: 600_000,
    hasReflection: false,
    ...(options.hasReflection && over === 'native' && { auxAddress: { kind: 'tcp', host: '127.0.0.1', port: 0 } }),
    ...options,
  });
  doors.add(door);
  return door;
}

/** Port of a door on TCP. */
export const portOf = (door: GrpcDoor): number => Number(door.address.slice(door.address.lastIndexOf(':') + 1));

export interface Sent {
  readonly answer: Promise<Buffer>;
  readonly call: ClientUnaryCall;
}

export class DoorClient {
  readonly #client: Client;

  constructor(address: string, credentials = ChannelCredentials.createInsecure(), options: object = {}) {
    this.#client = new Client(address, credentials, { 'grpc.use_local_subchannel_pool': 1, ...options });
    clients.add(this);
  }

  /** Calls Check, or another unary method, and gives the answer's bytes; rejects with the gRPC status. */
  check(bytes: Uint8Array, options?: CallOptions): Promise<Buffer> {
    return this.send(bytes, options).answer;
  }

  send(bytes: Uint8Array, options: CallOptions = {}, { path = CHECK_PATH, metadata = new Metadata() } = {}): Sent {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const done = (error: ServiceError | null, answer?: Buffer): void =>
      error === null ? resolve(answer ?? Buffer.alloc(0)) : reject(error);
    const call = this.#client.makeUnaryRequest(
      path,
      bytesAsTheyAre,
      bytesAsTheyAre,
      Buffer.from(bytes),
      metadata,
      options,
      done,
    );
    return { answer: promise, call };
  }

  stream(path: string, bytes: Uint8Array): ClientReadableStream<Buffer> {
    return this.#client.makeServerStreamRequest(path, bytesAsTheyAre, bytesAsTheyAre, Buffer.from(bytes));
  }

  /** A service of another definition on the same connection. */
  bidi<Q, R>(path: string, write: (request: Q) => Buffer, read: (bytes: Buffer) => R): ClientDuplexStream<Q, R> {
    return this.#client.makeBidiStreamRequest(path, write, read);
  }

  close(): void {
    this.#client.close();
  }
}
