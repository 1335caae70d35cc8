import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { freePort } from '../../internal/envoy/process.ts';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A real API server with its own etcd, RBAC on, in a folder of its own. */
export interface ApiServer {
  readonly url: string;
  readonly token: string;
  readonly kubeconfig: string;
  kubectl(args: readonly string[], stdin?: string): Promise<CommandResult>;
  /** One request with a token, the administrator's by default. */
  call(
    method: string,
    path: string,
    body?: unknown,
    options?: { readonly contentType?: string; readonly token?: string },
  ): Promise<{ readonly status: number; readonly body: unknown }>;
  /** A kubeconfig for a new user without any rights; groups can be bound. */
  kubeconfigFor(user: string, token: string): string;
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const START_MS = 60_000;
const insecure = new Agent({ connect: { rejectUnauthorized: false } });

export async function startApiServer(
  binaries: string,
  users: readonly (readonly [token: string, name: string])[] = [],
): Promise<ApiServer> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-kube-'));
  const token = randomBytes(16).toString('hex');
  const [clientPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(join(folder, 'sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(join(folder, 'tokens.csv'), `${token},admin,uid0,"system:masters"\n`);
  for (const [userToken, name] of users)
    appendFileSync(join(folder, 'tokens.csv'), `${userToken},${name},uid-${name}\n`);
  const etcdUrl = `http://127.0.0.1:${clientPort}`;
  const etcd = spawn(
    join(binaries, 'etcd'),
    [
      '--data-dir',
      join(folder, 'etcd'),
      '--listen-client-urls',
      etcdUrl,
      '--advertise-client-urls',
      etcdUrl,
      '--listen-peer-urls',
      `http://127.0.0.1:${peerPort}`,
      '--log-level',
      'error',
      '--unsafe-no-fsync',
    ],
    { stdio: 'ignore' },
  );
  const url = `https://127.0.0.1:${port}`;
  const args = [
    `--etcd-servers=${etcdUrl}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    `--cert-dir=${folder}`,
    `--service-account-key-file=${join(folder, 'sa.key')}`,
    `--service-account-signing-key-file=${join(folder, 'sa.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.0.0.0/24',
    '--disable-admission-plugins=ServiceAccount',
    '--v=0',
  ];
  let server: ChildProcess = spawn(join(binaries, 'kube-apiserver'), args, { stdio: 'ignore' });
  const kubeconfigFor = (user: string, userToken: string): string => {
    const path = join(folder, `${user}.kubeconfig`);
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      clusters: [{ name: 'test', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: user, user: { token: userToken } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user } }],
    };
    writeFileSync(path, JSON.stringify(config));
    return path;
  };
  const kubeconfig = kubeconfigFor('admin', token);
  await untilReady(url, token);
  return {
    url,
    token,
    kubeconfig,
    kubeconfigFor,
    kubectl: (kubectlArgs, stdin) =>
      runCommand(
        join(binaries, 'kubectl'),
        ['--kubeconfig', kubeconfig, '--cache-dir', join(folder, 'kubectl'), ...kubectlArgs],
        stdin,
      ),
    async call(method, path, body, options = {}) {
      const answer = await request(url + path, {
        method: method as 'GET',
        dispatcher: insecure,
        headers: {
          authorization: `Bearer ${options.token ?? token}`,
          'content-type': options.contentType ?? 'application/json',
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: answer.statusCode, body: await answer.body.json() };
    },
    kill: () => end(server),
    async restart() {
      await end(server);
      server = spawn(join(binaries, 'kube-apiserver'), args, { stdio: 'ignore' });
      await untilReady(url, token);
    },
    async stop() {
      await end(server);
      await end(etcd);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilReady(url: string, token: string): Promise<void> {
  const give = performance.now() + START_MS;
  while (performance.now() < give) {
    try {
      const { statusCode, body } = await request(`${url}/readyz`, {
        dispatcher: insecure,
        headers: { authorization: `Bearer ${token}` },
      });
      await body.dump();
      if (statusCode === 200) return;
    } catch {
      // Not listening yet.
    }
    await wait(100);
  }
  throw new Error('The API server was not ready in time');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
}

function runCommand(path: string, args: readonly string[], stdin: string | undefined): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = execFile(path, [...args], { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, stdout, stderr });
    });
    child.stdin?.end(stdin ?? '');
  });
}
