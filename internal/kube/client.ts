import { existsSync, readFileSync } from 'node:fs';
import { HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node';
import { request } from 'undici';
import { PosternError } from '../core/error.ts';

export type { KubeConfig } from '@kubernetes/client-node';

/** One kind of object as the API server's paths name it. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

/** An answer of the API server that is no success. */
export class KubeError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'KubeError';
    this.status = status;
  }
}

const IN_CLUSTER_NAMESPACE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';
const TIMEOUT_MS = 15_000;

/**
 * The cluster's configuration: a kubeconfig file, else the Pod's own account, else the user's.
 *
 * @throws {PosternError} ERR_POSTERN_CONFIG
 */
export function loadKubeConfig(file: string | undefined): KubeConfig {
  const config = new KubeConfig();
  try {
    if (file === undefined) config.loadFromDefault();
    else config.loadFromFile(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new PosternError(
      'ERR_POSTERN_CONFIG',
      `Cannot read the cluster's configuration${file === undefined ? '' : ` "${file}"`}: ${why}`,
      { cause: error },
    );
  }
  if (config.getCurrentCluster() === null)
    throw new PosternError(
      'ERR_POSTERN_CONFIG',
      'There is no cluster to talk to: run in a Pod, or name one with --kubeconfig',
    );
  return config;
}

/** Namespace of the Pod this runs in; `default` outside of one. */
export function ownNamespace(): string {
  return existsSync(IN_CLUSTER_NAMESPACE) ? readFileSync(IN_CLUSTER_NAMESPACE, 'utf8').trim() : 'default';
}

export const pathOf = ({ group, version, plural }: Resource, namespace: string | undefined, name?: string): string => {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
};

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  readonly body?: unknown;
}

/**
 * One request to the API server, and to nobody else: credentials are asked of the configuration each time, so rotated
 * ones are used at once.
 *
 * @throws {KubeError} for an answer that is no success
 */
export async function kubeCall(config: KubeConfig, call: Call): Promise<unknown> {
  const server = config.getCurrentCluster()?.server ?? '';
  const url = new URL(server.replace(/\/$/, '') + call.path);
  for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, value);
  const context = new RequestContext(url.toString(), HttpMethod[call.method]);
  await config.applySecurityAuthentication(context);
  const dispatcher = context.getDispatcher();
  const { statusCode, body } = await request(url, {
    method: call.method,
    headers: {
      accept: 'application/json',
      ...context.getHeaders(),
      ...(call.contentType !== undefined && { 'content-type': call.contentType }),
    },
    ...(dispatcher !== undefined && { dispatcher }),
    ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  const text = await body.text();
  if (statusCode >= 200 && statusCode < 300) return JSON.parse(text);
  throw new KubeError(statusCode, messageOf(text) ?? `the API server answered ${statusCode}`);
}

function messageOf(text: string): string | undefined {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}
