import type { GrpcStatus } from './grpc-status.ts';

/** What a method knows of its call. */
export interface GrpcCall {
  /** Monotonic milliseconds at which the caller stops waiting; undefined when it did not say. */
  readonly deadlineMs: number | undefined;
  /** True once the caller has gone away. */
  isCancelled(): boolean;
  readonly metadata: { get(name: string): readonly string[] };
  /** Asks to be told when the caller goes away. */
  onCancel(listener: () => void): void;
}

/** A call that is answered with any number of messages. */
export interface GrpcStream extends GrpcCall {
  send(message: Uint8Array): void;
  /** The last thing that is sent. */
  finish(status: GrpcStatus): void;
}

export type UnaryResult = Uint8Array | GrpcStatus;

/** A method by what it does with the one message that it is sent. What it throws or rejects with is INTERNAL. */
export type GrpcMethod =
  | {
      readonly kind: 'unary';
      readonly call: (message: Uint8Array, call: GrpcCall) => UnaryResult | Promise<UnaryResult>;
    }
  | { readonly kind: 'stream'; readonly call: (message: Uint8Array, call: GrpcStream) => void };

/** By path: `/package.Service/Method`. */
export type GrpcMethods = ReadonlyMap<string, GrpcMethod>;
