// A real HTTP door on a free port, behind it whatever a test puts there.
import { BlockList } from 'node:net';
import { systemClock } from '../../internal/core/clock.ts';
import type { CheckOptions } from '../../internal/extauthz/check.ts';
import { createHttpChecks } from '../../internal/extauthz/http/http-check.ts';
import { type HttpDoor, type HttpDoorOptions, startHttpDoor } from '../../internal/extauthz/http/http-door.ts';

export function networks(...subnets: readonly (readonly [string, number, 'ipv4' | 'ipv6'])[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) list.addSubnet(...subnet);
  return list;
}

export const LOOPBACK = networks(['127.0.0.0', 8, 'ipv4'], ['::1', 128, 'ipv6']);

/** A door whose checks are those of `options`, unless given whole. */
export const startChecks = (
  options: CheckOptions,
  carried: ReadonlySet<string> = new Set(),
  door: Partial<HttpDoorOptions> = {},
): Promise<HttpDoor> => startBareDoor({ checks: createHttpChecks(options, carried), ...door });

export const startBareDoor = (options: Pick<HttpDoorOptions, 'checks'> & Partial<HttpDoorOptions>): Promise<HttpDoor> =>
  startHttpDoor({
    address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
    tls: undefined,
    trustedPeers: LOOPBACK,
    clock: systemClock,
    maxReceiveBytes: 64 * 1024,
    maxConnectionAgeMs: 600_000,
    onRefusedPeer: () => undefined,
    onUnknownPath: () => undefined,
    onError: (error) => {
      throw error;
    },
    ...options,
  });

export function httpPort({ address }: HttpDoor): number {
  if (address.kind !== 'tcp') throw new Error('The door does not listen on TCP');
  return address.port;
}
