import { BlockList } from 'node:net';
import type { EdgeOptions } from '../core/canonicalize.ts';
import { systemClock } from '../core/clock.ts';
import { createDecisionIds } from '../core/decision-id.ts';
import { MemoryStore } from '../counters/memory-store.ts';
import { PolicyDirectory } from '../files/directory.ts';
import type { LocatedProblem } from '../files/parse-file.ts';
import { createKeySources } from '../keys/key-sources.ts';
import { OutboundClient } from '../keys/outbound.ts';
import { createTokenCache } from '../phases/authn/jwt.ts';
import { createRateLimitPorts } from '../phases/ratelimit/ratelimit.ts';
import { Engine } from '../policy/evaluate.ts';
import { objectKey } from '../policy/object.ts';
import { secretLookup } from '../policy/offered-secret.ts';
import { type Build, PolicyStore } from '../policy/store.ts';

/** The policies of a directory, compiled once, without any server. */
export interface Offline {
  readonly engine: Engine;
  readonly problems: readonly LocatedProblem[];
  readonly count: number;
  close(): Promise<void>;
}

export interface OfflineOptions {
  readonly directory: string;
  readonly className: string;
  readonly edge: EdgeOptions;
}

/** @throws {PosternError} ERR_POSTERN_FILE when the directory cannot be read */
export async function loadOffline({ directory, className, edge }: OfflineOptions): Promise<Offline> {
  const content = new PolicyDirectory(directory).read() ?? { objects: [], problems: [] };
  const objects = new Map(
    content.objects.map((found) => [`${found.object.kind}/${objectKey(found.object.metadata)}`, found]),
  );
  const outbound = new OutboundClient({ isRelaxed: true, allowed: new BlockList(), forbidden: new BlockList() });
  const clock = systemClock;
  const { promise, resolve, reject } = Promise.withResolvers<Build>();
  const store = new PolicyStore({
    ports: {
      keySources: createKeySources({ client: outbound, clock, random: Math.random, observe: () => undefined }),
      tokens: createTokenCache(),
      limits: createRateLimitPorts(new MemoryStore({ maxKeys: 1_000_000, onEvict: () => undefined })),
      // Offline nobody knows what the instance will know: nothing is warned about.
      knowsClientAddress: true,
      knowsTransport: true,
      knowsBodies: true,
    },
    clusterIssuer: undefined,
    className,
    secrets: (namespace) => secretLookup((name) => objects.get(`Secret/${namespace}/${name}`)?.object ?? 'absent'),
    clock,
    onBuild: resolve,
    onFailure: reject,
  });
  for (const { object } of content.objects) store.apply(object);
  store.complete();
  const { reports } = await promise;
  const found = reports.flatMap(({ object, problems }) => {
    const file = objects.get(`${object.kind}/${objectKey(object.metadata)}`);
    return file === undefined ? [] : problems.map((problem) => ({ ...problem, place: file.placeOf(problem.path) }));
  });
  const engine = new Engine(() => store.current, {
    edge,
    unmatched: 'deny',
    routeMetadata: 'optional',
    checkTimeoutMs: 10_000,
    clock,
    newDecisionId: createDecisionIds(),
  });
  return {
    engine,
    problems: [...content.problems, ...found],
    count: content.objects.length,
    close: () => outbound.close(),
  };
}
