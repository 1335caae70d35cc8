import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../config/read-config.ts';
import { MemoryStore } from '../counters/memory-store.ts';
import { DIGEST_ANNOTATION } from '../crd/generate.ts';
import type { LeaseObject } from '../kube/lease-record.ts';
import { ManualTimers } from '../kube/manual-timers.fixture.ts';
import { readPodLabels } from '../kube/pod-labels.ts';
import { aList } from '../kube/reflector.fixture.ts';
import { type Asked, aStatus, ScriptedApi, type Stream } from '../kube/scripted-api.fixture.ts';
import { createTokenCache } from '../phases/authn/jwt.ts';
import { createRateLimitPorts } from '../phases/ratelimit/ratelimit.ts';
import { ALL_KNOWN } from '../policy/knowledge.ts';
import { type Build, PolicyStore } from '../policy/store.ts';
import { Workload } from '../policy/workload.ts';
import { createLog } from '../telemetry/log.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { createKubeSource } from './kube-source.ts';
import { schemaDigests } from './outdated-schemas.ts';
import type { PolicySourceAdapter } from './source.ts';

const DEFINITIONS = /\/customresourcedefinitions\/(.*)$/;
const GIVE_UP_MS = 10_000;

/** A source on an API server that holds what a test puts there, with a clock that the test moves. */
export class KubeSourceBench {
  readonly timers = new ManualTimers();
  readonly lines: Record<string, unknown>[] = [];
  readonly metrics = new Metrics({ version: '1', process: false });
  /** By the end of a list's path. */
  readonly objects = new Map<string, readonly object[]>();
  /** Open watches of what is decided by, by path. */
  readonly watches = new Map<string, Stream>();
  /** Of the class, by name, as they were written last. */
  readonly leases = new Map<string, LeaseObject>();
  /** What is refused, by a part of its path: with this status. */
  readonly refused = new Map<string, number>();
  /** The digests that the installed definitions carry. */
  readonly digests = new Map(schemaDigests());
  /** Statuses that were written last, as JSON, by the path of their object. */
  readonly written = new Map<string, string>();
  /** What was asked for, watches apart, in its order. */
  readonly sequence: string[] = [];
  /** Every path that was asked for. */
  readonly asked = new Set<string>();
  readonly #api: ScriptedApi;
  readonly #folder = mkdtempSync(join(tmpdir(), 'postern-source-'));
  /** What every build found, the newest last. */
  readonly builds: Build[] = [];
  #adapter: PolicySourceAdapter | undefined = undefined;
  #workload: Workload | undefined = undefined;
  #leaseWatch: Stream | undefined = undefined;
  #leaseVersion = 100;

  private constructor(api: ScriptedApi) {
    this.#api = api;
    api.serve((asked) => this.#answer(asked));
  }

  /** Connected, and asking for nothing yet. */
  static async create(
    namespaces: string,
    part: Readonly<Record<string, string>> = { 'host-grants': 'first-come' },
  ): Promise<KubeSourceBench> {
    const bench = new KubeSourceBench(await ScriptedApi.start());
    const flags = { kube: 'true', kubeconfig: bench.#kubeconfig(), namespace: namespaces, ...part };
    const read = readConfig({ flags, env: {}, readFile: () => '' });
    if (!read.ok || read.config.source.kind !== 'kube') throw new Error(JSON.stringify(read));
    const { config } = read;
    const { timers, lines, metrics } = bench;
    const output = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
    const log = createLog({ level: 'info', output, clock: timers });
    const { sidecar } = config;
    const labels = sidecar?.kind === 'agent' ? readPodLabels(sidecar.labelsFile) : undefined;
    bench.#workload = sidecar && new Workload(labels);
    const parts = { config, source: read.config.source, log, clock: timers, timers, metrics, labels };
    bench.#adapter = createKubeSource(parts).adapter;
    return bench;
  }

  get adapter(): PolicySourceAdapter {
    if (this.#adapter === undefined) throw new Error('There is no adapter yet');
    return this.#adapter;
  }

  /** Of its API server. */
  get url(): string {
    return this.#api.url;
  }

  /** Starts it; resolves when the first snapshot may answer. */
  start(): Promise<void> {
    const first = Promise.withResolvers<void>();
    const none = (): string => 'none';
    const store = new PolicyStore({
      ports: {
        keySources: { byUrl: none, byDiscovery: none, inline: none },
        tokens: createTokenCache(),
        limits: createRateLimitPorts(new MemoryStore({ maxKeys: 10, onEvict: () => undefined })),
        knows: ALL_KNOWN,
        workload: this.#workload,
      },
      clusterIssuer: undefined,
      className: 'postern',
      secrets: (namespace) => this.adapter.secrets(namespace),
      clock: this.timers,
      ...(this.adapter.horizon && { horizon: this.adapter.horizon }),
      onBuild: (build) => {
        this.builds.push(build);
        this.adapter.report(build);
        if (this.adapter.admitted === undefined) first.resolve();
        else void this.adapter.admitted.then(() => first.resolve());
      },
      onFailure: first.reject,
    });
    void this.adapter.start(store);
    return first.promise;
  }

  async stop(): Promise<void> {
    await this.adapter.stop();
    await this.#api.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The lines of the log about the API server: what began and what ended, by resource and place. */
  troubles(): readonly string[] {
    return this.lines.flatMap(({ message, resource, place, affects }) => {
      const what = affects === undefined && resource === undefined ? 'all' : (affects ?? `${resource} ${place}`);
      if (/did not answer/.test(String(message))) return [`begins ${String(what)}`];
      return /answers as it should/.test(String(message)) ? [`ends ${String(what)}`] : [];
    });
  }

  /** Waits until something holds, without moving the clock. */
  async until(holds: () => boolean): Promise<void> {
    const giveUpMs = performance.now() + GIVE_UP_MS;
    while (!holds()) {
      if (performance.now() > giveUpMs) throw new Error(`It did not come about: ${holds.toString()}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** The value of a series; undefined when it is not scraped. */
  async valueOf(series: string): Promise<number | undefined> {
    let text = '';
    for await (const piece of this.metrics.scrape('text')) text += piece;
    const line = text.split('\n').find((found) => found.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  }

  #kubeconfig(): string {
    const file = join(this.#folder, 'kubeconfig');
    const config = {
      clusters: [{ name: 'c', cluster: { server: this.#api.url } }],
      users: [{ name: 'u', user: {} }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'infra' } }],
      'current-context': 'x',
    };
    writeFileSync(file, JSON.stringify(config));
    return file;
  }

  #answer(asked: Asked): void {
    this.asked.add(`${asked.method} ${asked.path}`);
    if (asked.query.watch !== 'true') this.sequence.push(`${asked.method} ${asked.path}`);
    const refusal = [...this.refused].find(([part]) => asked.path.includes(part));
    if (refusal !== undefined) asked.json(aStatus(refusal[1], `refused with ${refusal[1]}`), refusal[1]);
    else if (asked.query.watch === 'true') this.#watch(asked);
    else asked.json(...this.#found(asked));
  }

  #found(asked: Asked): [body: unknown, status?: number] {
    const definition = DEFINITIONS.exec(asked.path)?.[1];
    if (definition !== undefined)
      return [{ metadata: { name: definition, annotations: { [DIGEST_ANNOTATION]: this.digests.get(definition) } } }];
    if (asked.path.includes('/leases')) return this.#lease(asked);
    if (asked.method === 'GET') return [aList(7, this.objects.get(placeOf(asked)) ?? [])];
    this.written.set(placeOf(asked), JSON.stringify((asked.body as { status: object }).status));
    return [{}];
  }

  #watch(asked: Asked): void {
    const place = placeOf(asked);
    const stream = asked.stream();
    if (place.endsWith('/leases')) {
      this.#leaseWatch = stream;
      return;
    }
    this.watches.set(place, stream);
    void asked.gone.then(() => {
      if (this.watches.get(place) === stream) this.watches.delete(place);
    });
  }

  #lease({ method, path, body }: Asked): [body: unknown, status?: number] {
    const name = /leases\/(.+)$/.exec(path)?.[1];
    const known = this.leases.get(name ?? '');
    if (method === 'GET' && name === undefined) return [aList(this.#leaseVersion, [...this.leases.values()])];
    if (method === 'GET') return known === undefined ? [aStatus(404), 404] : [known];
    this.#leaseVersion += 1;
    const type = known === undefined ? 'ADDED' : method === 'DELETE' ? 'DELETED' : 'MODIFIED';
    const given = method === 'DELETE' ? (known as LeaseObject) : (body as LeaseObject);
    const version = { uid: `uid-${given.metadata.name}`, resourceVersion: String(this.#leaseVersion) };
    const lease = { ...given, metadata: { ...given.metadata, ...version } };
    if (method === 'DELETE') this.leases.delete(lease.metadata.name);
    else this.leases.set(lease.metadata.name, lease);
    this.#leaseWatch?.send(type, lease);
    return [lease];
  }
}

/** Watches of an adapter: four kinds and the Namespace itself for each of two namespaces, and two kinds of the cluster. */
export const WATCHES = 12;

/** `shop/apiroles`, `shop/apiroles/reader` for a status, `shop/namespaces` for the Namespace itself. */
function placeOf({ path, query }: Asked): string {
  if (path === '/api/v1/namespaces') return `${query.fieldSelector?.replace('metadata.name=', '')}/namespaces`;
  return path.replace(/^.*namespaces\/|\/status$/g, '');
}
