import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { type RunningChild, startChild } from '../../internal/envoy/child.ts';
import { freePort } from './free-port.ts';

const START_MS = 90_000;
const POLL_MS = 50;
const ATTEMPTS = 3;

export interface ControlPlaneOptions {
  /** Holds `kube-apiserver` and `etcd`. */
  readonly binaries: string;
  /** A folder for everything they write. */
  readonly folder: string;
  /** May do everything. */
  readonly adminToken: string;
  /** Further tokens, without rights of their own. */
  readonly users: readonly (readonly [token: string, name: string])[];
  readonly webhookUrl: string;
  /** Pods need accounts, whose tokens are mounted for them; else neither is looked at. */
  readonly hasAccounts?: boolean;
}

/** An API server and its etcd, as processes. */
export interface ControlPlane {
  readonly url: string;
  /** Who signed its certificate, as PEM. */
  readonly ca: string;
  readonly dispatcher: Agent;
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts both on ports that are free, and again on others when somebody was quicker. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  writeFiles(options);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(options, join(options.folder, `etcd-${attempt}`));
    } catch (error) {
      if (attempt === ATTEMPTS || !/address already in use/.test(String(error))) throw error;
    }
  }
}

/** What ServiceAccounts ask for, once a request is answered, or begun where it is a watch; nothing of anybody else. */
const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata', userGroups: ['system:serviceaccounts'] }, { level: 'None' }],
};

/** Name of the API server's audit log in its folder: an event a line. */
export const AUDIT_LOG = 'audit.log';

function writeFiles({ folder, adminToken, users, webhookUrl }: ControlPlaneOptions): void {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const rows = users.map(([token, name]) => `${token},${name},uid-${name}\n`);
  const webhook = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'webhook',
    clusters: [{ name: 'webhook', cluster: { server: webhookUrl } }],
    contexts: [{ name: 'webhook', context: { cluster: 'webhook', user: '' } }],
  };
  writeFileSync(join(folder, 'sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(join(folder, 'tokens.csv'), `${adminToken},admin,uid0,"system:masters"\n${rows.join('')}`);
  writeFileSync(join(folder, 'webhook.json'), JSON.stringify(webhook));
  writeFileSync(join(folder, 'audit-policy.json'), JSON.stringify(AUDIT_POLICY));
}

async function startOnce(options: ControlPlaneOptions, data: string): Promise<ControlPlane> {
  const { binaries, folder } = options;
  const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const url = `https://127.0.0.1:${port}`;
  mkdirSync(data, { mode: 0o700 });
  const etcd = startChild(join(binaries, 'etcd'), etcdArguments(data, etcdUrl, `http://127.0.0.1:${peerPort}`));
  const start = (): RunningChild =>
    startChild(join(binaries, 'kube-apiserver'), [
      ...serverArguments(folder, etcdUrl, port),
      ...(options.hasAccounts === true ? [] : ['--disable-admission-plugins=ServiceAccount']),
    ]);
  let server = start();
  const stop = async (): Promise<void> => void (await Promise.all([server.kill(), etcd.kill()]));
  try {
    const ca = await certificate(folder, [server, etcd]);
    const dispatcher = new Agent({ connect: { ca } });
    const untilReady = (): Promise<void> =>
      ready(url, { dispatcher, token: options.adminToken, children: [server, etcd] });
    await untilReady();
    return {
      url,
      ca,
      dispatcher,
      kill: () => server.kill(),
      async restart() {
        await server.kill();
        server = start();
        await untilReady();
      },
      async stop() {
        await Promise.all([stop(), dispatcher.destroy()]);
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const etcdArguments = (data: string, clientUrl: string, peerUrl: string): string[] => [
  ...['--data-dir', data, '--log-level', 'error', '--unsafe-no-fsync'],
  ...['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl, '--listen-peer-urls', peerUrl],
];

const serverArguments = (folder: string, etcdUrl: string, port: number): string[] => [
  `--etcd-servers=${etcdUrl}`,
  `--secure-port=${port}`,
  '--bind-address=127.0.0.1',
  `--cert-dir=${folder}`,
  `--service-account-key-file=${join(folder, 'sa.key')}`,
  `--service-account-signing-key-file=${join(folder, 'sa.key')}`,
  '--service-account-issuer=https://kubernetes.default.svc',
  `--token-auth-file=${join(folder, 'tokens.csv')}`,
  `--authentication-token-webhook-config-file=${join(folder, 'webhook.json')}`,
  '--authentication-token-webhook-version=v1',
  '--authentication-token-webhook-cache-ttl=1ms',
  '--authorization-mode=RBAC',
  `--audit-policy-file=${join(folder, 'audit-policy.json')}`,
  `--audit-log-path=${join(folder, AUDIT_LOG)}`,
  '--audit-log-mode=blocking',
  '--service-cluster-ip-range=10.0.0.0/24',
  '--v=0',
];

/** The API server makes its own certificate, with its signer behind it in the same file. */
async function certificate(folder: string, children: readonly RunningChild[]): Promise<string> {
  const path = join(folder, 'apiserver.crt');
  await until(children, async () => existsSync(path) && existsSync(join(folder, 'apiserver.key')));
  return readFileSync(path, 'utf8');
}

interface Probe {
  readonly dispatcher: Agent;
  readonly token: string;
  readonly children: readonly RunningChild[];
}

/** Ready, and the namespace that a new cluster makes a moment later is there. */
async function ready(url: string, { dispatcher, token, children }: Probe): Promise<void> {
  const isOk = async (path: string): Promise<boolean> => {
    const headers = { authorization: `Bearer ${token}` };
    const { statusCode, body } = await request(`${url}${path}`, { dispatcher, headers });
    await body.dump();
    return statusCode === 200;
  };
  await until(children, async () => (await isOk('/readyz')) && isOk('/api/v1/namespaces/default'));
}

async function until(children: readonly RunningChild[], holds: () => Promise<boolean>): Promise<void> {
  const give = performance.now() + START_MS;
  while (performance.now() < give) {
    const ended = children.find((child) => child.hasExited());
    if (ended !== undefined) throw new Error(`The API server or its etcd has ended: ${ended.said().trim()}`);
    if (await holds().catch(() => false)) return;
    await delay(POLL_MS);
  }
  throw new Error(`The API server was not ready within ${START_MS / 1000} s: ${children[0]?.said().trim()}`);
}
