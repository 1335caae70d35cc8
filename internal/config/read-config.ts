import { BlockList } from 'node:net';
import type { ListenAddress } from '../core/listen-address.ts';
import type { CidrList } from './cidr-list.ts';
import type {
  Config,
  HttpDoorConfig,
  NamespaceBudgetConfig,
  ObjectBudgetConfig,
  Outbound,
  PolicySource,
  SidecarRole,
  TlsFiles,
} from './config.ts';
import { OPTION_NAMES, type OptionName, type OptionValues, optionOf } from './options.ts';
import { refuseForSidecars } from './sidecar-options.ts';
import { fromFile, fromFlags, fromVariables, type GivenOptions } from './sources.ts';
import { auxAddressOf, http2BoundsOf, refuseForTransport } from './transport-options.ts';

/** The frozen configuration, or every problem of it, each a sentence that names the flag, variable or file line. */
export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly string[] };

export interface ConfigSources {
  /** By option name without dashes, as `registerOptions` leaves them. */
  readonly flags: Readonly<Record<string, string | boolean>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text of the `--config` file; may throw, which becomes a problem. */
  readonly readFile: (path: string) => string;
}

/** Reads the options of `serve`: a flag goes before a variable, a variable before the file, the file before defaults. */
export function readConfig(sources: ConfigSources): ConfigResult {
  const problems: string[] = [];
  const given = gather(sources, problems);
  const isWhole = problems.length === 0;
  const values = parseAll(given, problems);
  // What seems to be missing may be what could not be read.
  if (!isWhole) return { ok: false, problems };
  const isKube = values.kube === true;
  refuseContradictions(values, given, problems);
  refuseForTransport(values, given, problems);
  const sidecar = sidecarOf(values);
  const isOneOwner = !isKube || values.namespace?.length === 1;
  if (isKube) refuseForSidecars(values, given, problems);
  const source = sourceOf(values);
  if (problems.length > 0 || source === undefined) return { ok: false, problems };
  return { ok: true, config: assemble(values, { source, sidecar, isKube, isOneOwner, given }) };
}

function gather(sources: ConfigSources, problems: string[]): GivenOptions {
  const flags = fromFlags(sources.flags, problems);
  const variables = fromVariables(sources.env, problems);
  const path = (flags.get('config') ?? variables.get('config'))?.text;
  const file = path === undefined ? new Map() : readFile(sources, path, problems);
  return new Map([...file, ...variables, ...flags]);
}

function readFile(sources: ConfigSources, path: string, problems: string[]): GivenOptions {
  try {
    return fromFile(sources.readFile(path), path, problems);
  } catch (error) {
    problems.push(`--config: ${error instanceof Error ? error.message : String(error)}`);
    return new Map();
  }
}

function parseAll(given: GivenOptions, problems: string[]): OptionValues {
  const values: Partial<Record<OptionName, unknown>> = {};
  for (const name of OPTION_NAMES) {
    const row = optionOf(name);
    const text = given.get(name)?.text ?? row.fallback;
    if (text === undefined) continue;
    const result = row.parse(text);
    if (result.ok) values[name] = result.value;
    else problems.push(`${given.get(name)?.origin ?? `--${name}`} "${text}" ${result.problem}`);
  }
  return values as OptionValues;
}

function refuseContradictions(values: OptionValues, given: GivenOptions, problems: string[]): void {
  const isKube = values.kube === true;
  const origin = (name: OptionName): string => given.get(name)?.origin ?? `--${name}`;
  if (isKube && given.has('policies')) problems.push(`${origin('policies')} and ${origin('kube')} exclude each other`);
  const astray = isKube ? [] : OPTION_NAMES.filter((name) => optionOf(name).only === 'kube' && given.has(name));
  for (const name of astray) problems.push(`${origin(name)} has no effect without --kube`);
  if (!isKube && !given.has('policies') && astray.length === 0) {
    problems.push('Nothing to serve: write --policies DIR (standalone) or --kube (Kubernetes)');
  }
  for (const name of ['http-trusted-peers', 'http-carried-headers'] as const)
    if (given.has(name) && !given.has('http-addr')) problems.push(`${origin(name)} has no effect without --http-addr`);
  if (given.has('tls-cert') !== given.has('tls-key')) problems.push('--tls-cert and --tls-key must be given together');
  const { 'drain-delay': delay = 0, 'drain-timeout': timeout = 0 } = values;
  if (given.has('drain-delay') && delay > timeout) {
    problems.push(
      `${origin('drain-delay')}, ${delay / 1000}s, is longer than ${origin('drain-timeout')}, ${timeout / 1000}s, of which it is a part`,
    );
  }
  if (given.has('client-ca') && !given.has('tls-cert')) {
    problems.push(`${origin('client-ca')} has no effect without --tls-cert and --tls-key`);
  }
}

function sourceOf(values: OptionValues): PolicySource | undefined {
  if (values.kube === true) {
    const { kubeconfig, namespace, 'policy-selector': policySelector } = values;
    return Object.freeze({ kind: 'kube', kubeconfig, namespaces: namespace ?? NO_NAMES, policySelector });
  }
  return values.policies === undefined ? undefined : Object.freeze({ kind: 'directory', directory: values.policies });
}

function sidecarOf(values: OptionValues): SidecarRole | undefined {
  const labelsFile = values['workload-labels'];
  if (labelsFile !== undefined) return Object.freeze({ kind: 'agent', labelsFile });
  return values['sidecar-class'] === true ? Object.freeze({ kind: 'class' }) : undefined;
}

const NO_NAMES: readonly string[] = Object.freeze([]);
const GATEWAY: ListenAddress = Object.freeze({ kind: 'tcp', host: '', port: 9191 });
const STANDALONE: ListenAddress = Object.freeze({ kind: 'tcp', host: '127.0.0.1', port: 9191 });

/** Of many tenants, who may not take each other's room. An owner of all takes it from nobody, unless told not to. */
const MAX_BYTES = 256 * 1024 * 1024;
const MAX_POLICIES = 10_000;
const MAX_OBJECTS = 100_000;

function budgetOf(
  { 'namespace-policies': policies, 'namespace-policy-bytes': bytes }: OptionValues,
  isOneOwner: boolean,
): NamespaceBudgetConfig | undefined {
  const bounds = boundsOf({ count: policies, bytes }, { count: MAX_POLICIES, bytes: MAX_BYTES }, isOneOwner);
  return bounds && Object.freeze({ policies: bounds.count, bytes: bounds.bytes });
}

function objectBudgetOf(
  { 'namespace-objects': objects, 'namespace-object-bytes': bytes }: OptionValues,
  isOneOwner: boolean,
): ObjectBudgetConfig | undefined {
  const bounds = boundsOf({ count: objects, bytes }, { count: MAX_OBJECTS, bytes: MAX_BYTES }, isOneOwner);
  return bounds && Object.freeze({ objects: bounds.count, bytes: bounds.bytes });
}

interface Bounds {
  readonly count: number;
  readonly bytes: number;
}

function boundsOf(
  { count, bytes }: { readonly [K in keyof Bounds]: number | undefined },
  ofMany: Bounds,
  isOneOwner: boolean,
): Bounds | undefined {
  if (isOneOwner && count === undefined && bytes === undefined) return undefined;
  const byDefault = isOneOwner ? { count: Infinity, bytes: Infinity } : ofMany;
  return { count: count ?? byDefault.count, bytes: bytes ?? byDefault.bytes };
}

interface Known {
  readonly source: PolicySource;
  readonly sidecar: SidecarRole | undefined;
  readonly isKube: boolean;
  readonly isOneOwner: boolean;
  readonly given: GivenOptions;
}

/** Only called without problems: every row with a `fallback` has its value. */
function assemble(values: OptionValues, known: Known): Config {
  const { sidecar } = known;
  const debug = required(values, 'debug-addr');
  return Object.freeze({
    source: known.source,
    className: required(values, 'class'),
    sidecar,
    edge: Object.freeze({
      clientAddress: values['client-address'] ?? { kind: 'unset' as const },
      bodiesForwarded: values.bodies === 'forwarded',
      transportTls: values['transport-security'] === 'tls',
      trustContextExtensions: values['trust-context-extensions'] ?? (known.isOneOwner && sidecar === undefined),
    }),
    routeMetadata: required(values, 'route-metadata'),
    unmatched: required(values, 'unmatched'),
    // Policies of a sidecar class claim no hosts.
    hostGrants: values['host-grants'] ?? (known.isOneOwner || sidecar !== undefined ? 'first-come' : 'required'),
    clusterIssuer: values['cluster-issuer'],
    // Judged as each sidecar judges it, which serves one namespace.
    outbound: outboundOf(values['outbound-allow'], known.isOneOwner || sidecar !== undefined),
    grpcAddress: values['grpc-addr'] ?? (known.isKube && sidecar?.kind !== 'agent' ? GATEWAY : STANDALONE),
    transport: required(values, 'transport'),
    grpcAuxAddress: auxAddressOf(values),
    http2: http2BoundsOf(values),
    http: httpOf(values),
    adminAddress: required(values, 'admin-addr'),
    debugAddress: debug === 'off' ? undefined : debug,
    tls: tlsOf(values),
    checkTimeoutMs: required(values, 'check-timeout'),
    drainTimeoutMs: required(values, 'drain-timeout'),
    drainDelayMs: required(values, 'drain-delay'),
    maxConnectionAgeMs: required(values, 'max-connection-age'),
    maxLimitKeys: required(values, 'max-limit-keys'),
    namespaceBudget: budgetOf(values, known.isOneOwner || sidecar !== undefined),
    objectBudget: objectBudgetOf(values, known.isOneOwner || sidecar !== undefined),
    maxReceiveBytes: required(values, 'max-receive-bytes'),
    grpcReflection: required(values, 'grpc-reflection'),
    workers: required(values, 'workers'),
    logLevel: required(values, 'log-level'),
    given: Object.freeze([...known.given].map(([name, { text, origin }]) => `${name}=${text} (${origin})`)),
    texts: Object.freeze(textsOf(known.given)),
  });
}

/** What a file says is among them, with its paths as they count; the file is not. */
const textsOf = (given: GivenOptions): Record<string, string> =>
  Object.fromEntries([...given].flatMap(([name, { text }]) => (name === 'config' ? [] : [[name, text]])));

function required<K extends OptionName>(values: OptionValues, name: K): NonNullable<OptionValues[K]> {
  const value = values[name];
  if (value === undefined) throw new TypeError(`The option "${name}" has neither a value nor a default`);
  return value as NonNullable<OptionValues[K]>;
}

function outboundOf(allow: CidrList | undefined, isOneOwner: boolean): Outbound {
  return Object.freeze({ allow: allow ?? { texts: NO_NAMES, list: new BlockList() }, isOpen: isOneOwner });
}

function httpOf(values: OptionValues): HttpDoorConfig | undefined {
  const { 'http-addr': address, 'http-carried-headers': carriedHeaders = new Set() } = values;
  if (address === undefined) return undefined;
  return Object.freeze({ address, trustedPeers: required(values, 'http-trusted-peers'), carriedHeaders });
}

function tlsOf(values: OptionValues): TlsFiles | undefined {
  const { 'tls-cert': certFile, 'tls-key': keyFile, 'client-ca': clientCaFile } = values;
  if (certFile === undefined || keyFile === undefined) return undefined;
  return Object.freeze({ certFile, keyFile, clientCaFile });
}
