import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { AUDIT_LOG, type ControlPlane, startControlPlane } from './api-server-process.ts';
import { startTokenWebhook } from './token-webhook.ts';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A token of a user who has no rights but those that are bound to it or its groups. */
export interface AddedToken {
  readonly token: string;
  readonly kubeconfig: string;
  /** The API server remembers it for up to ten seconds. */
  revoke(): void;
}

/** A real API server with its own etcd, RBAC on, in a folder of its own. */
export interface ApiServer {
  readonly url: string;
  /** The administrator's. */
  readonly token: string;
  /** A file, of the administrator. */
  readonly kubeconfig: string;
  /** As the administrator. Never throws: a command that cannot be run has code 1. */
  kubectl(args: readonly string[], stdin?: string): Promise<CommandResult>;
  /** One request with a token, the administrator's by default. */
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<CallResult>;
  /** A new token that counts at once. */
  addToken(user: string, groups?: readonly string[]): AddedToken;
  /** A kubeconfig for a user with a token that was given at the start. */
  kubeconfigFor(user: string, token: string): string;
  /** What ServiceAccounts asked for until now, in its order; a watch is told of as it begins and as it ends. */
  audited(): readonly AuditEvent[];
  /** Ends the API server as a crash would; its etcd stays. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with the same objects; resolves when it is ready. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface CallOptions {
  readonly contentType?: string;
  readonly token?: string;
}

export interface CallResult {
  readonly status: number;
  readonly body: unknown;
}

/** The parts of an event (audit.k8s.io/v1) that tests look at. */
export interface AuditEvent {
  readonly verb: string;
  readonly user: { readonly username: string };
  /** Absent for paths that are no resource. */
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly requestURI: string;
  readonly responseStatus?: { readonly code: number };
}

const KUBECTL_MS = 120_000;

/**
 * @param binaries the folder that `obtainKubernetes` gives
 * @param hasAccounts whether Pods need ServiceAccounts, whose tokens are mounted for them
 */
export async function startApiServer(
  binaries: string,
  users: readonly (readonly [token: string, name: string])[] = [],
  hasAccounts = false,
): Promise<ApiServer> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-kube-'));
  const token = randomBytes(16).toString('hex');
  const webhook = await startTokenWebhook();
  const clear = (): void => {
    webhook.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const plane = await startControlPlane({
    ...{ binaries, folder, adminToken: token, users, webhookUrl: webhook.url },
    hasAccounts,
  }).catch((error: unknown) => {
    clear();
    throw error;
  });
  const kubeconfigFor = (user: string, userToken: string): string =>
    writeKubeconfig(folder, plane, { user, token: userToken });
  const kubeconfig = kubeconfigFor('admin', token);
  const own = ['--kubeconfig', kubeconfig, '--cache-dir', join(folder, 'kubectl')];
  return {
    url: plane.url,
    token,
    kubeconfig,
    kubeconfigFor,
    kubectl: (args, stdin = '') => runKubectl(join(binaries, 'kubectl'), [...own, ...args], { stdin, home: folder }),
    call: (method, path, body, options = {}) => call(plane, { method, path, body, token, ...options }),
    addToken(user, groups = []) {
      const added = webhook.add({ user, groups });
      return { token: added, kubeconfig: kubeconfigFor(user, added), revoke: () => webhook.remove(added) };
    },
    audited: () => readAudit(join(folder, AUDIT_LOG)),
    kill: plane.kill,
    restart: plane.restart,
    async stop() {
      await plane.stop();
      clear();
    },
  };
}

/** The line that is being written is left for the next time. */
function readAudit(path: string): readonly AuditEvent[] {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEvent);
}

function writeKubeconfig(folder: string, { url, ca }: ControlPlane, of: { user: string; token: string }): string {
  const path = join(folder, `${of.user}-${randomBytes(4).toString('hex')}.kubeconfig`);
  const cluster = { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: of.user, user: { token: of.token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: of.user } }],
  };
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

interface Call extends CallOptions {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly token: string;
}

async function call(
  { url, dispatcher }: ControlPlane,
  { method, path, body, token, ...rest }: Call,
): Promise<CallResult> {
  const answer = await request(url + path, {
    method: method as 'GET',
    dispatcher,
    headers: { authorization: `Bearer ${token}`, 'content-type': rest.contentType ?? 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.body.text();
  const isJson = /json/.test(String(answer.headers['content-type']));
  return { status: answer.statusCode, body: isJson ? JSON.parse(text) : text };
}

interface KubectlOptions {
  readonly stdin: string;
  /** A home of its own, so that no preferences of a person's change what a command does. */
  readonly home: string;
}

function runKubectl(path: string, args: readonly string[], { stdin, home }: KubectlOptions): Promise<CommandResult> {
  const options = { maxBuffer: 64 * 1024 * 1024, timeout: KUBECTL_MS, env: { PATH: process.env.PATH, HOME: home } };
  return new Promise((resolve) => {
    const child = execFile(path, [...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, stdout, stderr: stderr || (error === null ? '' : error.message) });
    });
    // A command that does not read all of it is no failure of ours.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(stdin);
  });
}
