import type { CallBound, Ending } from '../core/door-bounds.ts';
import type { NativeDoorOptions } from '../extauthz/native-door.ts';
import { OPTION_OF } from './bound-options-of.ts';
import { Seldom } from './seldom.ts';
import type { DoorParts } from './start-door.ts';

/** By what a peer speaks instead: what to do about it. */
const SPEAKS = Object.freeze({
  'HTTP/1': 'HTTP/1: the cluster that Envoy asks needs http2_protocol_options',
  TLS: 'TLS, and there is none here: give --tls-cert and --tls-key, or take the transport_socket from the cluster that Envoy asks',
  'another protocol': 'another protocol than HTTP/2: only Envoy should reach this port',
  'no TLS': 'no TLS, which there is here: the cluster that Envoy asks needs a transport_socket',
});

type Telling = Required<Pick<NativeDoorOptions, 'onEnding' | 'onRefused' | 'onForeign'>>;

/** What is told and counted of the connections that the gRPC door ends, and of the calls that it refuses. */
export function grpcDoorWords({
  config,
  clock,
  log,
  metrics,
}: Pick<DoorParts, 'config' | 'clock' | 'log' | 'metrics'>): Telling {
  const optionOf = (bound: Ending | CallBound): { readonly option?: string } => {
    // The other transport has no such options.
    const option = config.transport === 'native' ? OPTION_OF[bound] : undefined;
    return option === undefined ? {} : { option: `--${option}` };
  };
  const foreign = new Seldom<keyof typeof SPEAKS>(clock);
  const ended = new Seldom<Ending>(clock);
  const refused = new Seldom<CallBound>(clock);
  return {
    onForeign(protocol, peer) {
      const meanwhile = foreign.next(protocol);
      if (meanwhile === undefined) return;
      log.warn(`A peer of the gRPC door speaks ${SPEAKS[protocol]}`, fieldsOf(peer, meanwhile));
    },
    onEnding(bound, error, peer) {
      metrics.count('postern_grpc_connections_ended_total', bound);
      const meanwhile = bound === 'foreign' ? undefined : ended.next(bound);
      if (meanwhile === undefined) return;
      const fields = { bound, ...optionOf(bound), ...fieldsOf(peer, meanwhile) };
      if (bound === 'internal') log.error('A connection of the gRPC door failed', { ...fields, error });
      else log.warn('A connection of the gRPC door was ended', { ...fields, why: whyOf(error) });
    },
    onRefused(bound) {
      metrics.count('postern_grpc_calls_refused_total', bound);
      const meanwhile = refused.next(bound);
      if (meanwhile === undefined) return;
      log.warn('The gRPC door refused a call', { bound, ...optionOf(bound), refused_meanwhile: meanwhile });
    },
  };
}

const fieldsOf = (peer: string, meanwhile: number) => ({ 'source.address': peer, as_many_meanwhile: meanwhile });

const whyOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
