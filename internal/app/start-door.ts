import type { createCheckBytes } from '../extauthz/check.ts';
import { type GrpcDoor, startGrpcDoor } from '../extauthz/grpc-door.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { AgentOptions } from './agent.ts';

/** Reads certificates again this often. */
export const CERTIFICATE_RELOAD_MS = 10_000;

export type DoorParts = AgentOptions & {
  readonly metrics: Metrics;
  readonly check: ReturnType<typeof createCheckBytes>;
};

/** Starts the gRPC door as the configuration wants it. */
export function startDoor({ config, clock, log, metrics, check }: DoorParts): Promise<GrpcDoor> {
  const { tls } = config;
  let isReload = false;
  let hasFailed = false;
  return startGrpcDoor({
    address: config.grpcAddress,
    check,
    clock,
    maxReceiveBytes: config.maxReceiveBytes,
    maxConnectionAgeMs: config.maxConnectionAgeMs,
    hasReflection: config.grpcReflection,
    tls: tls && {
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
    },
  });
}
