import type { ListenAddress } from '../core/listen-address.ts';
import { type CheckOptions, createCheckBytes } from '../extauthz/check.ts';
import type { GrpcDoor } from '../extauthz/grpc-door.ts';
import type { Listen } from '../listen/listen.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { AgentOptions } from './agent.ts';
import { startDoor } from './start-door.ts';
import { startHttpDoorOf } from './start-http-door.ts';

/** Where checks come in, whoever answers them. */
export interface CheckDoors {
  readonly grpcAddress: string;
  readonly httpAddress: ListenAddress | undefined;
  /** What gRPC health says. */
  setServing(isServing: boolean): void;
  /** Lets what is open end, for at most so long; everything is taken as before for the first part of it. */
  drain(timeoutMs: number, delayMs: number): Promise<unknown>;
}

export type OwnDoorsOptions = AgentOptions & {
  readonly metrics: Metrics;
  readonly checks: CheckOptions;
  /** In the place of `listenOn`. */
  readonly listen?: Listen;
  /** Another process tells of the certificates. */
  readonly areCertificatesTold?: boolean;
  /** Told as soon as a door is open. */
  readonly onOpen: (door: Pick<GrpcDoor, 'drain'>) => void;
};

/** Opens the doors of this process. */
export async function startOwnDoors(options: OwnDoorsOptions): Promise<CheckDoors> {
  const { config, checks, onOpen } = options;
  const grpc = await startDoor({ ...options, check: createCheckBytes(checks) });
  onOpen(grpc);
  const http = config.http && (await startHttpDoorOf({ ...options, http: config.http }));
  if (http !== undefined) onOpen(http);
  const all = [grpc, ...(http === undefined ? [] : [http])];
  return {
    grpcAddress: grpc.address,
    httpAddress: http?.address,
    setServing: (isServing) => grpc.setServing(isServing),
    drain: (timeoutMs, delayMs) => Promise.all(all.map((door) => door.drain(timeoutMs, delayMs))),
  };
}
