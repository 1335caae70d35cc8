import type { BoundOptionName } from '../config/bound-options.ts';
import type { CallBound, Ending } from '../core/door-bounds.ts';

/** The option by which each bound of the native gRPC door is set; undefined where there is none to set. */
export const OPTION_OF: Readonly<Record<Ending | CallBound, BoundOptionName | 'max-receive-bytes' | undefined>> =
  Object.freeze({
    foreign: undefined,
    protocol: undefined,
    internal: undefined,
    connections: undefined,
    handshake: 'grpc-handshake-timeout',
    header_bytes: 'grpc-max-header-bytes',
    continuations: 'grpc-max-continuations',
    frame_rate: 'grpc-max-frame-rate',
    reset_rate: 'grpc-max-reset-rate',
    unsent_bytes: 'grpc-max-unsent-bytes',
    stalled: 'grpc-stall-timeout',
    slow_request: 'grpc-request-timeout',
    silent: 'grpc-ping-timeout',
    streams: 'grpc-max-streams',
    buffered_bytes: 'grpc-max-buffered-bytes',
    buffered_total: 'grpc-max-buffered-total',
    message_bytes: 'max-receive-bytes',
  });
