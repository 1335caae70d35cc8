import type { HttpDoorConfig } from '../config/config.ts';
import type { CheckOptions } from '../extauthz/check.ts';
import { createHttpChecks } from '../extauthz/http/http-check.ts';
import { type HttpDoor, startHttpDoor } from '../extauthz/http/http-door.ts';
import { pathsOf } from '../extauthz/http/http-handler.ts';
import type { Listen } from '../listen/listen.ts';
import type { AgentOptions } from './agent.ts';
import { untoldTls } from './start-door.ts';

export type HttpDoorParts = AgentOptions & {
  readonly http: HttpDoorConfig;
  readonly checks: CheckOptions;
  readonly listen?: Listen;
};

/** Starts the HTTP door as the configuration wants it. */
export function startHttpDoorOf({
  config,
  http,
  clock,
  log,
  checks: options,
  listen,
}: HttpDoorParts): Promise<HttpDoor> {
  const checks = createHttpChecks(options, http.carriedHeaders);
  const paths = pathsOf([...checks.keys()]);
  return startHttpDoor({
    address: http.address,
    listen,
    checks,
    trustedPeers: http.trustedPeers.list,
    clock,
    maxReceiveBytes: config.maxReceiveBytes,
    maxConnectionAgeMs: config.maxConnectionAgeMs,
    onRefusedPeer: (address, refusedMeanwhile) =>
      log.warn('A peer of the HTTP door is not trusted: name its network in --http-trusted-peers if it is a proxy', {
        'source.address': address,
        refused_meanwhile: refusedMeanwhile,
      }),
    onUnknownPath: (path, peer, untoldMeanwhile) =>
      log.warn(`A proxy asks the HTTP door under a path that no dialect has, and is refused: it has to ask ${paths}`, {
        path,
        'source.address': peer,
        untold_meanwhile: untoldMeanwhile,
      }),
    onError: (error) => log.error('The HTTP door failed', { error }),
    // The same files as the gRPC door, which tells of them.
    tls: config.tls && untoldTls(config.tls, clock),
  });
}
