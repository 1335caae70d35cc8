import type { KubeConfig } from '@kubernetes/client-node';
import { type Dispatcher, request } from 'undici';
import { type Connection, connect, renewCredentials } from './connection.ts';
import { renewing } from './kube-config.ts';
import { GarbledError, KubeError, unreachable } from './kube-error.ts';
import { deadline, systemTimers, type Timers } from './timers.ts';

export { closeConnections } from './connection.ts';
export { type KubeConfig, loadKubeConfig, ownAccount, ownNamespace } from './kube-config.ts';
export { KubeError } from './kube-error.ts';

/** One kind of object as the API server's paths name it. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

export const pathOf = ({ group, version, plural }: Resource, namespace: string | undefined, name?: string): string => {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
};

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  /** Another form of the answer than plain JSON. */
  readonly accept?: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** For the whole answer, from the first byte asked to the last one read. */
  readonly timeoutMs?: number;
  readonly timers?: Timers | undefined;
  /** An answer that is longer is refused (status 413), however far it was read. */
  readonly maxBytes?: number;
}

const TIMEOUT_MS = 15_000;
const MAX_BYTES = 32 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;
const UNAUTHORIZED = 401;
const TOO_LARGE = 413;

/**
 * One request to the API server, and to nobody else: redirects are not followed.
 *
 * @throws {KubeError} for an answer that is no success, none in time, or none that can be read
 */
export async function kubeCall(config: KubeConfig, call: Call): Promise<unknown> {
  return parseAnswer(await kubeText(config, call));
}

/** @throws {GarbledError} for what is no JSON: something between us and the API server answered */
export function parseAnswer(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new GarbledError('The API server answered with something that is not JSON', error);
  }
}

/** The same, as text: callers that parse much want to know how much it is. */
export async function kubeText(config: KubeConfig, call: Call): Promise<string> {
  const limit = deadline(call.timeoutMs ?? TIMEOUT_MS, call.timers ?? systemTimers, call.signal);
  try {
    const { body } = await openStream(config, { ...call, signal: limit.signal });
    return await textOf(body, call.maxBytes ?? MAX_BYTES);
  } catch (error) {
    throw unreachable(serverOf(config), limit.signal.aborted ? limit.signal.reason : error);
  } finally {
    limit.lift();
  }
}

/**
 * The body of a successful answer, not read yet. Its caller bounds the time by `signal`. Refused credentials are read
 * anew, once.
 *
 * @throws {KubeError}
 */
export async function openStream(
  config: KubeConfig,
  call: Call,
): Promise<{ readonly body: Dispatcher.ResponseData['body'] }> {
  let connection = await connect(config);
  let response = await send(connection, call);
  if (response.statusCode === UNAUTHORIZED && renewCredentials(config, connection)) {
    await response.body.dump();
    connection = await connect(config);
    response = await send(connection, call);
  }
  const { statusCode, headers, body } = response;
  if (statusCode >= 200 && statusCode < 300) return { body };
  const text = await textOf(body, MAX_ERROR_BYTES).catch(() => '');
  const said = messageOf(text) ?? `the API server answered ${statusCode}`;
  const message = statusCode === UNAUTHORIZED ? `${said} (401): ${renewing(config)}` : said;
  const retryAfterMs = retryAfter(headers['retry-after']);
  throw new KubeError(statusCode, message, retryAfterMs === undefined ? {} : { retryAfterMs });
}

async function send({ server, headers, dispatcher }: Connection, call: Call): Promise<Dispatcher.ResponseData> {
  const url = new URL(server + call.path);
  for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, value);
  try {
    return await request(url, {
      method: call.method,
      headers: {
        accept: call.accept ?? 'application/json',
        ...headers,
        ...(call.contentType !== undefined && { 'content-type': call.contentType }),
      },
      ...(dispatcher !== undefined && { dispatcher }),
      ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
      ...(call.signal !== undefined && { signal: call.signal }),
      // Callers bound the whole time; a watch is silent for minutes.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  } catch (error) {
    throw unreachable(server, call.signal?.aborted ? call.signal.reason : error);
  }
}

async function textOf(body: Dispatcher.ResponseData['body'], maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new KubeError(TOO_LARGE, `the API server's answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Where it is asked, for messages. */
export const serverOf = (config: KubeConfig): string => config.getCurrentCluster()?.server ?? '';

function retryAfter(value: string | string[] | undefined): number | undefined {
  const seconds = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : undefined;
  return seconds === undefined ? undefined : seconds * 1000;
}

function messageOf(text: string): string | undefined {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' && message !== '' ? message : undefined;
  } catch {
    return undefined;
  }
}
