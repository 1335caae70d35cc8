import type { Http2Bounds } from '../core/door-bounds.ts';
import type { ListenAddress } from '../core/listen-address.ts';
import { BOUND_OPTION_NAMES } from './bound-options.ts';
import type { OptionName, OptionValues } from './options.ts';
import type { GivenOptions } from './sources.ts';

const AUX: ListenAddress = Object.freeze({ kind: 'tcp', host: '127.0.0.1', port: 9195 });

/** What the transport that is chosen does not have, and bounds that contradict each other. */
export function refuseForTransport(values: OptionValues, given: GivenOptions, problems: string[]): void {
  const origin = (name: OptionName): string => given.get(name)?.origin ?? `--${name}`;
  if (values.transport !== 'native') {
    for (const name of ['grpc-aux-addr', ...BOUND_OPTION_NAMES] as const)
      if (given.has(name)) problems.push(`${origin(name)} has no effect without --transport=native`);
    return;
  }
  if (given.has('grpc-aux-addr') && values['grpc-reflection'] !== true)
    problems.push(`${origin('grpc-aux-addr')} has no effect without --grpc-reflection`);
  const { 'max-receive-bytes': message = 0, 'grpc-max-buffered-bytes': buffered = 0 } = values;
  const { 'grpc-max-buffered-total': total = 0 } = values;
  if (buffered < message) {
    const least = `write at least ${message} bytes`;
    problems.push(`${origin('grpc-max-buffered-bytes')} is less than one message of --max-receive-bytes: ${least}`);
  }
  // Of half of it one connection may have all.
  if (total < 2 * buffered) {
    const least = `write at least ${2 * buffered} bytes`;
    problems.push(`${origin('grpc-max-buffered-total')} is less than twice --grpc-max-buffered-bytes: ${least}`);
  }
}

/** Reflection is for people who look: from this machine alone, unless they say otherwise. */
export function auxAddressOf(values: OptionValues): ListenAddress | undefined {
  if (values.transport !== 'native' || values['grpc-reflection'] !== true) return undefined;
  return values['grpc-aux-addr'] ?? AUX;
}

/** Only called where every option with a default has its value. */
export function http2BoundsOf(values: OptionValues): Http2Bounds {
  const of = (name: (typeof BOUND_OPTION_NAMES)[number]): number => values[name] ?? Number.NaN;
  return Object.freeze({
    maxStreams: of('grpc-max-streams'),
    maxHeaderBytes: of('grpc-max-header-bytes'),
    headerTableBytes: of('grpc-header-table-bytes'),
    maxContinuations: of('grpc-max-continuations'),
    maxFrameRate: of('grpc-max-frame-rate'),
    maxResetRate: of('grpc-max-reset-rate'),
    maxBufferedBytes: of('grpc-max-buffered-bytes'),
    maxBufferedTotal: of('grpc-max-buffered-total'),
    maxUnsentBytes: of('grpc-max-unsent-bytes'),
    handshakeTimeoutMs: of('grpc-handshake-timeout'),
    requestTimeoutMs: of('grpc-request-timeout'),
    stallTimeoutMs: of('grpc-stall-timeout'),
    pingIntervalMs: of('grpc-ping-interval'),
    pingTimeoutMs: of('grpc-ping-timeout'),
  });
}
