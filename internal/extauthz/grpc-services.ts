import { EventEmitter } from 'node:events';
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { GrpcMethod, GrpcStream, UnaryResult } from '../http2/grpc-method.ts';
import { STATUS } from '../http2/grpc-status.ts';

/** What grpc-js' handlers call back with. */
interface ServiceError {
  readonly code?: number;
  readonly details?: string;
}
type Handler = (call: unknown, callback?: (error: ServiceError | null, value?: unknown) => void) => void;

/** Puts services that were written for grpc-js on another door: those of one message in, one or many out. */
export class GrpcServices {
  readonly methods = new Map<string, GrpcMethod>();

  addService(service: ServiceDefinition, implementation: UntypedServiceImplementation): void {
    for (const [name, definition] of Object.entries(service)) {
      const handler = implementation[name] ?? implementation[name.charAt(0).toLowerCase() + name.slice(1)];
      const { path, requestDeserialize: read, responseSerialize: write, responseStream } = definition;
      if (handler === undefined) continue;
      const parts: Parts = { handler: handler as Handler, read: (bytes) => read(Buffer.from(bytes)), write };
      this.methods.set(
        path,
        responseStream
          ? { kind: 'stream', call: (message, call) => stream(parts, message, call) }
          : { kind: 'unary', call: (message) => unary(parts, message) },
      );
    }
  }
}

interface Parts {
  readonly handler: Handler;
  readonly read: (bytes: Uint8Array) => unknown;
  readonly write: (value: unknown) => Buffer;
}

function unary({ handler, read, write }: Parts, message: Uint8Array): Promise<UnaryResult> {
  const { promise, resolve } = Promise.withResolvers<UnaryResult>();
  handler({ request: read(message) }, (error, value) => resolve(error === null ? write(value) : statusOf(error)));
  return promise;
}

function stream({ handler, read, write }: Parts, message: Uint8Array, call: GrpcStream): void {
  const shown = new StreamCall(
    read(message),
    (value) => call.send(write(value)),
    () => call.finish(OK),
  );
  shown.on('error', (error: ServiceError) => call.finish(statusOf(error)));
  call.onCancel(() => shown.emit('cancelled'));
  handler(shown);
}

const OK = Object.freeze({ code: STATUS.ok, message: '' });

const statusOf = ({ code = STATUS.internal, details = '' }: ServiceError) => ({ code, message: details });

/** As much of a call of grpc-js as services use. */
class StreamCall extends EventEmitter {
  readonly request: unknown;
  readonly write: (value: unknown) => void;
  readonly end: () => void;

  constructor(request: unknown, write: (value: unknown) => void, end: () => void) {
    super();
    this.request = request;
    this.write = write;
    this.end = end;
  }
}
