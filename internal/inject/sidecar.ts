/** What of an injected sidecar differs from release to release; the rest is fixed here, for the chart and `postern inject`. */
export interface SidecarSettings {
  readonly image: string;
  readonly imagePullPolicy: string;
  readonly className: string;
  /** Port of metrics and probes, in the Pod's network. */
  readonly adminPort: number;
  readonly resources: unknown;
  /** Further arguments of `serve`. */
  readonly args: readonly string[];
  /** Further variables. */
  readonly env: readonly unknown[];
}

/** Of a sidecar: whoever asks it has ended before. */
export const DRAIN_TIMEOUT = '5s';

export const SIDECAR_DEFAULTS = Object.freeze({
  imagePullPolicy: 'IfNotPresent',
  className: 'sidecar',
  adminPort: 9193,
  resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
  args: [],
  env: [],
});

export const CONTAINER = 'postern';
export const SOCKET_VOLUME = 'postern-socket';
const TOKEN_VOLUME = 'postern-token';
const LABELS_VOLUME = 'postern-labels';
/** Where the socket's volume lies in every container that gets it. */
export const SOCKET_FOLDER = '/run/postern';
const SOCKET = `${SOCKET_FOLDER}/postern.sock`;
/** A Pod or a template with this label as "true" is injected; `postern inject` leaves out one that says "false". */
export const INJECT_LABEL = 'postern.dev/inject';
/** Names the container that gets the socket; without it all of them do. */
export const ENVOY_ANNOTATION = 'postern.dev/envoy-container';
/**
 * Group of the socket. A volume of a Pod without a group belongs to root, and what an agent makes there to the agent:
 * Envoy, another user, could not write to it.
 */
export const FS_GROUP = 65_532;

/** The parts of a Pod that an injection adds. */
export interface Sidecar {
  readonly container: Readonly<Record<string, unknown>>;
  readonly volumes: readonly (Readonly<Record<string, unknown>> & { readonly name: string })[];
  /** Of each container that may ask: it can write to the socket, and cannot put another one in its place. */
  readonly mount: { readonly name: string; readonly mountPath: string; readonly readOnly: true };
}

/**
 * A native sidecar: it starts before the containers of the Pod and ends after them. The token that it reads policies by
 * lies in a volume that no other container mounts.
 */
export function sidecarOf(settings: SidecarSettings): Sidecar {
  const { image, imagePullPolicy, className, adminPort, resources, args, env } = settings;
  const probe = (path: string) => ({ httpGet: { path, port: adminPort } });
  return {
    container: {
      name: CONTAINER,
      image,
      imagePullPolicy,
      restartPolicy: 'Always',
      args: [
        'serve',
        '--kube',
        `--class=${className}`,
        '--workload-labels=/etc/postern/pod/labels',
        `--grpc-addr=unix:${SOCKET}`,
        `--admin-addr=:${adminPort}`,
        '--debug-addr=off',
        `--drain-timeout=${DRAIN_TIMEOUT}`,
        ...args,
      ],
      env: [
        { name: 'POSTERN_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
        ...API_SERVER,
        ...env,
      ],
      ports: [{ name: 'postern-metrics', containerPort: adminPort }],
      // The others start when policies serve: ten minutes to mend what is missing, then it is tried anew.
      startupProbe: { ...probe('/readyz'), periodSeconds: 1, failureThreshold: 600 },
      livenessProbe: { ...probe('/livez'), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
      readinessProbe: { ...probe('/readyz'), periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 3 },
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65_532,
        runAsGroup: 65_532,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
        seccompProfile: { type: 'RuntimeDefault' },
      },
      resources,
      volumeMounts: [
        { name: SOCKET_VOLUME, mountPath: SOCKET_FOLDER },
        { name: TOKEN_VOLUME, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true },
        { name: LABELS_VOLUME, mountPath: '/etc/postern/pod', readOnly: true },
      ],
    },
    volumes: [
      { name: SOCKET_VOLUME, emptyDir: { sizeLimit: '1Mi' } },
      { name: TOKEN_VOLUME, projected: { sources: TOKEN_SOURCES } },
      { name: LABELS_VOLUME, downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
    ],
    mount: { name: SOCKET_VOLUME, mountPath: SOCKET_FOLDER, readOnly: true },
  };
}

/**
 * By name: the variables of the kubelet are those of a Service "kubernetes" of the Pod's own namespace where there is
 * one, so that whoever makes such a Service would choose whom the sidecar asks.
 */
const API_SERVER = [
  { name: 'KUBERNETES_SERVICE_HOST', value: 'kubernetes.default.svc' },
  { name: 'KUBERNETES_SERVICE_PORT', value: '443' },
];

/** As the kubelet gives a Pod its account, but for this container alone. */
const TOKEN_SOURCES = [
  { serviceAccountToken: { path: 'token', expirationSeconds: 3600 } },
  { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
  { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
];
