import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { PosternError } from '../core/error.ts';
import { withoutUserinfo } from '../core/without-userinfo.ts';

export type { KubeConfig } from '@kubernetes/client-node';

const IN_CLUSTER_NAMESPACE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';
/** What the library falls back to when it finds no configuration anywhere. */
const NOTHING_FOUND = 'http://localhost:8080';
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

const sources = new WeakMap<KubeConfig, () => KubeConfig>();

/**
 * The cluster's configuration: the given kubeconfig, else `$KUBECONFIG`, else the user's own, else the Pod's account.
 *
 * @throws {PosternError} ERR_POSTERN_CONFIG
 */
export function loadKubeConfig(file: string | undefined): KubeConfig {
  const config = read(file);
  sources.set(config, () => read(file));
  return config;
}

/**
 * The same configuration with the credentials as they are now: an expired token is read anew from its file, the
 * kubeconfig or the credential plugin.
 *
 * @returns undefined when it cannot be read now, or names another cluster by now: credentials stay with theirs
 */
export function reloadKubeConfig(config: KubeConfig): KubeConfig | undefined {
  try {
    const fresh = sources.get(config)?.();
    const isSame = fresh?.getCurrentCluster()?.server === config.getCurrentCluster()?.server;
    return isSame ? fresh : undefined;
  } catch {
    return undefined;
  }
}

/** Namespace of the Pod this runs in, else of the configuration's context, else `default`. */
export function ownNamespace(config?: KubeConfig): string {
  if (existsSync(IN_CLUSTER_NAMESPACE)) return readFileSync(IN_CLUSTER_NAMESPACE, 'utf8').trim();
  return config?.getContextObject(config.getCurrentContext())?.namespace ?? 'default';
}

/** The ServiceAccount whose token the configuration holds; undefined where it is somebody else, or not to be told. */
export function ownAccount(config: KubeConfig): { readonly namespace: string; readonly name: string } | undefined {
  const user = config.getCurrentUser();
  const file: unknown = user?.authProvider?.config?.tokenFile;
  try {
    const token = user?.token ?? (typeof file === 'string' ? readFileSync(file, 'utf8') : '');
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const { sub } = claims as { readonly sub?: unknown };
    const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(String(sub)) ?? [];
    return namespace === undefined || name === undefined ? undefined : { namespace, name };
  } catch {
    return undefined;
  }
}

/** What to look at where the API server accepts the credentials of a configuration no more. It holds none of them. */
export function renewing(config: KubeConfig): string {
  const user = config.getCurrentUser();
  const file: unknown = user?.authProvider?.config?.tokenFile;
  if (typeof file === 'string')
    return `the token in "${file}" is not accepted: see that it is of this cluster, that it has not expired, and that its ServiceAccount and Pod still exist`;
  const context = config.getCurrentContext();
  return `the credentials of the user "${user?.name ?? ''}" in the kubeconfig are not accepted: renew them there, and test them by kubectl --context ${context} auth whoami`;
}

function read(file: string | undefined): KubeConfig {
  const config = new KubeConfig();
  try {
    if (file === undefined) config.loadFromDefault();
    else loadFile(config, file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw fault(`Cannot read the cluster's configuration${file === undefined ? '' : ` "${file}"`}: ${why}`, error);
  }
  checkCluster(config, file);
  return config;
}

function loadFile(config: KubeConfig, file: string): void {
  const text = readFileSync(file, 'utf8');
  const content: unknown = parse(text);
  if (typeof content !== 'object' || content === null) throw new Error('it holds no kubeconfig');
  config.loadFromFile(file);
  // The library knows `tokenFile` only of a Pod's own account.
  for (const { name, user } of usersIn(content)) {
    const known = config.getUser(name);
    if (known === null || user?.tokenFile === undefined || known.token) continue;
    const tokenFile = resolve(dirname(file), user.tokenFile);
    Object.assign(known, { authProvider: { name: 'tokenFile', config: { tokenFile } } });
  }
}

interface NamedUser {
  readonly name: string;
  readonly user?: { readonly tokenFile?: string } | null;
}

function usersIn(content: object): readonly NamedUser[] {
  const { users } = content as { readonly users?: unknown };
  return Array.isArray(users) ? users : [];
}

function checkCluster(config: KubeConfig, file: string | undefined): void {
  const where = file === undefined ? '' : ` of "${file}"`;
  const cluster = config.getCurrentCluster();
  const isNothing = file === undefined && cluster?.name === 'cluster' && cluster.server === NOTHING_FOUND;
  if (isNothing || (cluster === null && file === undefined))
    throw fault(
      'There is no cluster to talk to: run in a Pod with a ServiceAccount, or name a kubeconfig with --kubeconfig',
    );
  if (cluster === null) {
    const current = config.getCurrentContext() ?? '';
    const wanted = config.getContextObject(current)?.cluster;
    const isAstray = typeof wanted === 'string' && wanted !== '';
    const what = isAstray ? `is of the cluster "${wanted}", which is not in it` : 'names no cluster';
    const known = isAstray ? listed('clusters', config.getClusters()) : listed('contexts', config.getContexts());
    throw fault(`The current context "${current}"${where} ${what}: ${known}`);
  }
  const url = URL.parse(cluster.server);
  const shown = withoutUserinfo(cluster.server);
  if (shown !== cluster.server) throw fault(`The server${where} is "${shown}" with a password: write it without one`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '')
    throw fault(`The server${where} is "${shown}": it must be a URL, as in "https://192.0.2.1:6443"`);
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname))
    throw fault(`The server${where} is "${shown}": credentials are sent over https only`);
  // On loopback, as behind "kubectl proxy", there is no TLS to verify; without this the library refuses to ask.
  if (url.protocol === 'http:') Object.assign(cluster, { skipTLSVerify: true });
}

function listed(what: string, items: readonly { readonly name: string }[]): string {
  if (items.length === 0) return `it has no ${what}`;
  return `its ${what} are ${items.map(({ name }) => `"${name}"`).join(', ')}`;
}

const fault = (message: string, cause?: unknown): PosternError =>
  new PosternError('ERR_POSTERN_CONFIG', message, { cause });
