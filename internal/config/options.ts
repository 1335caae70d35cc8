import { BOUND_OPTIONS } from './bound-options.ts';
import { BUDGET_OPTIONS } from './budget-options.ts';
import { carriedHeaders } from './carried-headers.ts';
import { cidrList, peerNetworks } from './cidr-list.ts';
import { clientAddressSource } from './client-address-flag.ts';
import { debugAddress, listenAddress } from './listen-address.ts';
import { type Option, option } from './option.ts';
import { bytes, choice, durationMs, filePath, issuerUrl, switched } from './scalars.ts';
import { SOURCE_OPTIONS } from './source-options.ts';
import { WORKER_OPTIONS } from './workers-flag.ts';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * Every option of `postern serve`: flag `--NAME`, variable `POSTERN_NAME`, key of the `--config` file. Flags, `--help`
 * and the reference are made from this table. No name may become a variable that Kubernetes sets for a Service.
 */
export const OPTIONS = Object.freeze({
  ...SOURCE_OPTIONS,
  'client-address': option({
    placeholder: 'SOURCE',
    fallbackDoc: "the peer's address, unknown where that is private",
    doc: "Where a client's address is read: direct, forwarded-for:hops=N, forwarded-for:cidrs=CIDRS or header:NAME",
    parse: clientAddressSource,
  }),
  bodies: option({
    placeholder: 'PROMISE',
    choices: ['unknown', 'forwarded'],
    fallback: 'unknown',
    doc: 'Whether Envoy forwards every body (with_request_body), so that none means none',
    parse: choice('unknown', 'forwarded'),
  }),
  'transport-security': option({
    placeholder: 'PROMISE',
    choices: ['unknown', 'tls'],
    fallback: 'unknown',
    doc: 'Whether every client of this instance came by TLS',
    parse: choice('unknown', 'tls'),
  }),
  'trust-context-extensions': option({
    placeholder: undefined,
    fallbackDoc: 'true for a directory or one namespace, else false',
    doc: 'Believe postern.dev/* context extensions, which route owners write',
    parse: switched,
  }),
  'route-metadata': option({
    placeholder: 'RULE',
    choices: ['optional', 'required'],
    fallback: 'optional',
    doc: 'Whether a request without route metadata is denied',
    parse: choice('optional', 'required'),
  }),
  'cluster-issuer': option({
    placeholder: 'URL',
    fallbackDoc: 'none: no JWT proves a service account',
    doc: "Issuer whose JWTs prove the cluster's service accounts",
    parse: issuerUrl,
  }),
  'outbound-allow': option({
    placeholder: 'CIDRS',
    isList: true,
    fallbackDoc: 'public addresses; for a directory or one namespace also private and loopback ones',
    doc: 'Private networks that issuers and keys may be fetched from',
    parse: cidrList,
  }),
  unmatched: option({
    placeholder: 'RULE',
    choices: ['deny', 'allow'],
    fallback: 'deny',
    doc: 'What happens to hosts and routes that no policy claims',
    parse: choice('deny', 'allow'),
  }),
  'grpc-addr': option({
    placeholder: 'ADDR',
    fallbackDoc: ':9191 with --kube, 127.0.0.1:9191 with --policies and for sidecars',
    doc: 'Where Envoy asks: HOST:PORT or unix:/path',
    parse: listenAddress,
  }),
  transport: option({
    placeholder: 'DOOR',
    choices: ['native', 'grpc-js'],
    fallback: 'native',
    doc: 'How gRPC is spoken: straight on sockets, or by grpc-js, the slower one that others have tried for years',
    parse: choice('native', 'grpc-js'),
  }),
  'http-addr': option({
    placeholder: 'ADDR',
    fallbackDoc: 'none: no HTTP door',
    doc: "Where nginx, Traefik and Envoy's http_service ask: HOST:PORT or unix:/path",
    parse: listenAddress,
  }),
  'http-trusted-peers': option({
    placeholder: 'CIDRS',
    isList: true,
    fallback: '127.0.0.0/8,::1',
    doc: 'Networks of the proxies that the HTTP door answers; what they say of a request is believed',
    parse: peerNetworks,
  }),
  'http-carried-headers': option({
    placeholder: 'NAMES',
    isList: true,
    fallbackDoc: 'none: a policy that sets one is refused',
    doc: 'Request headers that every proxy of the HTTP door takes from its answers',
    parse: carriedHeaders,
  }),
  'admin-addr': option({
    placeholder: 'ADDR',
    fallback: ':9193',
    doc: 'Where /metrics, /healthz, /livez and /readyz are served',
    parse: listenAddress,
  }),
  'debug-addr': option({
    placeholder: 'ADDR',
    fallback: '127.0.0.1:9194',
    doc: 'Where /debug/* is served: loopback or a unix socket only, or off',
    parse: debugAddress,
  }),
  'tls-cert': option({
    placeholder: 'FILE',
    doc: 'Certificate chain of the gRPC and the HTTP door, PEM, reloaded when it changes',
    isPath: true,
    parse: filePath,
  }),
  'tls-key': option({ placeholder: 'FILE', doc: 'Key of --tls-cert, PEM', isPath: true, parse: filePath }),
  'client-ca': option({
    placeholder: 'FILE',
    doc: 'Require a client certificate of these authorities, PEM (mTLS)',
    isPath: true,
    parse: filePath,
  }),
  'check-timeout': option({
    placeholder: 'DURATION',
    fallback: '150ms',
    doc: "Deadline of a check; keep it below Envoy's own, 200ms by default",
    parse: durationMs('1ms', '60s'),
  }),
  'drain-timeout': option({
    placeholder: 'DURATION',
    fallback: '20s',
    doc: 'How long SIGTERM waits for open connections',
    parse: durationMs('0s', '1h'),
  }),
  'drain-delay': option({
    placeholder: 'DURATION',
    fallback: '3s',
    doc: 'How long of that connected Envoys are still served as before, while health says NOT_SERVING: two of their health checks',
    parse: durationMs('0s', '10m'),
  }),
  'max-connection-age': option({
    placeholder: 'DURATION',
    fallback: '5m',
    doc: 'When Envoy is asked to connect anew, so that new replicas get their share',
    parse: durationMs('1s', '24h'),
  }),
  ...BUDGET_OPTIONS,
  'max-receive-bytes': option({
    placeholder: 'SIZE',
    // Whoever reaches the port can make it hold this much for every stream: a body of 1 MiB with all headers, not more.
    fallback: '2Mi',
    doc: "Largest CheckRequest, and body of a check over HTTP; above Envoy's max_request_bytes and all headers",
    parse: bytes(64 * 1024, 64 * 1024 * 1024),
  }),
  'grpc-reflection': option({
    placeholder: undefined,
    fallback: 'false',
    doc: 'Serve gRPC reflection, with --transport=native on an address of its own (--grpc-aux-addr)',
    parse: switched,
  }),
  'grpc-aux-addr': option({
    placeholder: 'ADDR',
    fallbackDoc: '127.0.0.1:9195 with --grpc-reflection and --transport=native',
    doc: 'Where --transport=native has gRPC services besides checks and health: HOST:PORT or unix:/path',
    parse: listenAddress,
  }),
  ...BOUND_OPTIONS,
  ...WORKER_OPTIONS,
  'log-level': option({
    placeholder: 'LEVEL',
    choices: LOG_LEVELS,
    fallback: 'info',
    doc: 'Least level of log lines; records of decisions are not affected',
    parse: choice(...LOG_LEVELS),
  }),
  config: option({
    placeholder: 'FILE',
    doc: 'A YAML file of these options by their names; flags and variables go before it, its paths count from its folder',
    isPath: true,
    parse: filePath,
  }),
} satisfies Record<string, Option<unknown>>);

export type OptionName = keyof typeof OPTIONS;
export const OPTION_NAMES = Object.freeze(Object.keys(OPTIONS) as OptionName[]);

type ValueOf<O> = O extends Option<infer T> ? T : never;
/** Parsed values; undefined where nothing was given and the row has no `fallback`. */
export type OptionValues = { readonly [K in OptionName]: ValueOf<(typeof OPTIONS)[K]> | undefined };

/** A row by its name, with the type of its value forgotten. */
export const optionOf = (name: OptionName): Option<unknown> => OPTIONS[name];

export const isOptionName = (name: string): name is OptionName => Object.hasOwn(OPTIONS, name);
