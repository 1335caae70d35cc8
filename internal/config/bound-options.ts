import { type Option, option } from './option.ts';
import { bytes, count, durationMs } from './scalars.ts';

const KI = 1024;
const MI = 1024 * KI;

/** What one peer may make the native gRPC door do and hold. */
export const BOUND_OPTIONS = Object.freeze({
  'grpc-max-streams': option({
    placeholder: 'COUNT',
    fallback: '1024',
    doc: "Checks of a connection at a time; not less than Envoy's max_concurrent_streams, 1024 by default",
    parse: count(1, 1_000_000),
  }),
  'grpc-max-header-bytes': option({
    placeholder: 'SIZE',
    fallback: '32Ki',
    doc: 'Bytes of the fields of one call, as they come and unpacked; for the fields about it, not those of the checked request',
    parse: bytes(4 * KI, MI),
  }),
  'grpc-header-table-bytes': option({
    placeholder: 'SIZE',
    fallback: '4Ki',
    doc: 'Bytes of fields that a connection may have remembered (HPACK)',
    parse: bytes(4 * KI, MI),
  }),
  'grpc-max-continuations': option({
    placeholder: 'COUNT',
    fallback: '16',
    doc: 'CONTINUATION frames of one header block',
    parse: count(1, 1000),
  }),
  'grpc-max-frame-rate': option({
    placeholder: 'COUNT',
    fallback: '2000',
    doc: 'Frames a second of a connection that carry no call (PING, SETTINGS, WINDOW_UPDATE, small DATA, …), beyond four for each call that was answered; large ones, and header blocks of calls that are not answered, count for each 512 bytes',
    parse: count(10, 10_000_000),
  }),
  'grpc-max-reset-rate': option({
    placeholder: 'COUNT',
    // Clients of Envoy that go away while a dependency is slow make it take checks back: that must not end its connection.
    fallback: '5000',
    doc: 'Resets a second of a connection, by the peer or provoked by it, beyond one for each call that was answered',
    parse: count(10, 10_000_000),
  }),
  'grpc-max-buffered-bytes': option({
    placeholder: 'SIZE',
    fallback: '64Mi',
    doc: 'Memory for messages of a connection that are not whole, or whose checks are not over; not less than --max-receive-bytes',
    parse: bytes(64 * KI, 1024 * MI),
  }),
  'grpc-max-buffered-total': option({
    placeholder: 'SIZE',
    fallback: '256Mi',
    doc: 'The same of all connections of a process; above half of it none has more than an even share. Not less than twice --grpc-max-buffered-bytes',
    parse: bytes(128 * KI, 64 * 1024 * MI),
  }),
  'grpc-max-unsent-bytes': option({
    placeholder: 'SIZE',
    fallback: '4Mi',
    doc: 'Bytes of answers that a connection may leave unread',
    parse: bytes(64 * KI, 1024 * MI),
  }),
  'grpc-handshake-timeout': option({
    placeholder: 'DURATION',
    fallback: '10s',
    doc: 'How long a connection may take for its TLS handshake, and as long again to send its preface and settings and to acknowledge ours',
    parse: durationMs('100ms', '10m'),
  }),
  'grpc-request-timeout': option({
    placeholder: 'DURATION',
    fallback: '30s',
    doc: 'How long a check, or a frame, that has begun may take to be whole',
    parse: durationMs('100ms', '10m'),
  }),
  'grpc-stall-timeout': option({
    placeholder: 'DURATION',
    fallback: '30s',
    doc: 'How long a connection may take nothing of its answers',
    parse: durationMs('100ms', '10m'),
  }),
  'grpc-ping-interval': option({
    placeholder: 'DURATION',
    fallback: '30s',
    doc: 'After how much silence a connection is asked whether it is there',
    parse: durationMs('1s', '1h'),
  }),
  'grpc-ping-timeout': option({
    placeholder: 'DURATION',
    fallback: '10s',
    doc: 'How long it may take to say so',
    parse: durationMs('100ms', '10m'),
  }),
} satisfies Record<string, Option<unknown>>);

export type BoundOptionName = keyof typeof BOUND_OPTIONS;
export const BOUND_OPTION_NAMES = Object.freeze(Object.keys(BOUND_OPTIONS) as BoundOptionName[]);
