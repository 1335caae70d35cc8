import type { createCheckBytes } from '../extauthz/check.ts';
import { type GrpcDoor, startGrpcDoor } from '../extauthz/grpc-door.ts';
import { startNativeDoor } from '../extauthz/native-door.ts';
import type { TlsOptions } from '../extauthz/tls-termination.ts';
import type { Listen } from '../listen/listen.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { AgentOptions } from './agent.ts';
import { grpcDoorWords } from './grpc-door-words.ts';

/** Reads certificates again this often. */
const CERTIFICATE_RELOAD_MS = 10_000;

export type DoorParts = AgentOptions & {
  readonly metrics: Metrics;
  readonly check: ReturnType<typeof createCheckBytes>;
  /** Another process tells of the certificates, which are the same. */
  readonly areCertificatesTold?: boolean;
  /** In the place of `listenOn`. */
  readonly listen?: Listen;
};

/** Starts the gRPC door as the configuration wants it. */
export function startDoor(parts: DoorParts): Promise<GrpcDoor> {
  const { config, clock, check } = parts;
  const common = {
    address: config.grpcAddress,
    check,
    clock,
    maxReceiveBytes: config.maxReceiveBytes,
    maxConnectionAgeMs: config.maxConnectionAgeMs,
    tls: tlsOf(parts),
    listen: parts.listen,
    ...grpcDoorWords(parts),
  };
  if (config.transport === 'grpc-js') return startGrpcDoor({ ...common, hasReflection: config.grpcReflection });
  const { grpcAuxAddress: auxAddress, http2: bounds } = config;
  return startNativeDoor({ ...common, auxAddress, bounds });
}

type TlsParts = Omit<DoorParts, 'check' | 'listen'>;

const NOTHING = (): void => undefined;

/** Files of which another door, or another process, tells. */
export function untoldTls(files: TlsOptions['files'], clock: TlsOptions['clock']): TlsOptions {
  return { files, reloadEveryMs: CERTIFICATE_RELOAD_MS, clock, onCertificate: NOTHING, onError: NOTHING };
}

/** The files that the configuration names, and what is told of them. */
function tlsOf({ config, clock, log, metrics, areCertificatesTold = false }: TlsParts): TlsOptions | undefined {
  const { tls } = config;
  if (tls === undefined) return undefined;
  if (areCertificatesTold) return untoldTls(tls, clock);
  let isReload = false;
  let hasFailed = false;
  return {
    files: tls,
    reloadEveryMs: CERTIFICATE_RELOAD_MS,
    clock,
    onCertificate(notAfterMs, clientCaNotAfterMs) {
      const notAfter = new Date(notAfterMs).toISOString();
      if (isReload) {
        metrics.count('postern_certificate_reloads_total', 'success');
        log.info(hasFailed ? 'Certificates can be used again' : 'Certificates were reloaded', { notAfter });
      } else if (notAfterMs <= clock.wallMs()) {
        log.warn('The certificate of --tls-cert is over: whoever verifies it will not connect', { notAfter });
      }
      isReload = true;
      hasFailed = false;
      metrics.set('postern_certificate_not_after_seconds', notAfterMs / 1000, 'server');
      if (clientCaNotAfterMs !== undefined)
        metrics.set('postern_certificate_not_after_seconds', clientCaNotAfterMs / 1000, 'client_ca');
    },
    onError(error) {
      hasFailed = true;
      metrics.count('postern_certificate_reloads_total', 'failure');
      log.error('A certificate cannot be used; the old one stays', { error });
    },
  };
}
