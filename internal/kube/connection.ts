import { hash } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import { HttpMethod, type KubeConfig, RequestContext } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import { systemClock } from '../core/clock.ts';
import { reloadKubeConfig } from './kube-config.ts';
import { KubeError } from './kube-error.ts';
import { deadline, systemTimers } from './timers.ts';

/** How to reach the API server now: headers with credentials, and connections that are kept for the next request. */
export interface Connection {
  readonly server: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher | undefined;
  /** Counts up with every reload; tells an answer to old credentials from one to the newest. */
  readonly version: number;
}

interface State {
  config: KubeConfig;
  version: number;
  /** What TLS was made of for `dispatcher`: another certificate or authority gets a new one. */
  tls: string | undefined;
  /** One for all requests that begin together. */
  dispatcher: Promise<Dispatcher | undefined>;
  reloadedMs: number;
}

/** A credential plugin that hangs is no reason to hang. */
const CREDENTIAL_MS = 30_000;
/** Credentials that keep being refused are not read anew more often than this. */
const RELOAD_MS = 5000;

const NO_DISPATCHER: State['dispatcher'] = Promise.resolve(undefined);

const states = new WeakMap<KubeConfig, State>();

function stateOf(config: KubeConfig): State {
  const known = states.get(config);
  if (known !== undefined) return known;
  const state: State = { config, version: 0, tls: undefined, dispatcher: NO_DISPATCHER, reloadedMs: -Infinity };
  states.set(config, state);
  return state;
}

/**
 * The connection for one request. Credentials are asked of the configuration each time, so that rotated ones are used
 * at once; connections are kept while what TLS is made of stays the same.
 *
 * @throws {KubeError} status 0 when a credential cannot be had
 */
export async function connect(config: KubeConfig): Promise<Connection> {
  const state = stateOf(config);
  const { version } = state;
  const server = (state.config.getCurrentCluster()?.server ?? '').replace(/\/+$/, '');
  const options: RequestOptions = {};
  const limit = deadline(CREDENTIAL_MS, systemTimers, undefined);
  try {
    await Promise.race([state.config.applyToHTTPSOptions(options), aborted(limit.signal)]);
    const dispatcher = await keepDispatcher(state, options, server);
    return { server, headers: headersOf(options), dispatcher, version };
  } catch (error) {
    throw new KubeError(0, `Cannot get the credential for the API server at ${server}: ${lineOf(error)}`, {
      cause: error,
    });
  } finally {
    limit.lift();
  }
}

/** Reads the credentials anew after the API server refused them; false when there is nothing newer to try. */
export function renewCredentials(config: KubeConfig, refused: Connection): boolean {
  const state = stateOf(config);
  if (state.version !== refused.version) return true;
  const nowMs = systemClock.monotonicMs();
  if (nowMs - state.reloadedMs < RELOAD_MS) return false;
  state.reloadedMs = nowMs;
  const fresh = reloadKubeConfig(config);
  if (fresh === undefined) return false;
  state.config = fresh;
  state.version += 1;
  return true;
}

/** Ends the kept connections; streams that are still read go on to their end. */
export async function closeConnections(config: KubeConfig): Promise<void> {
  const state = states.get(config);
  states.delete(config);
  await (await state?.dispatcher)?.close();
}

function keepDispatcher(state: State, options: RequestOptions, server: string): State['dispatcher'] {
  const tls = fingerprint(options);
  if (state.tls === tls) return state.dispatcher;
  const previous = state.dispatcher;
  state.tls = tls;
  state.dispatcher = makeDispatcher(state, server);
  void closeLater(previous);
  return state.dispatcher;
}

/** The library makes a new one for every request; it is asked once for each set of certificates. */
async function makeDispatcher(state: State, server: string): State['dispatcher'] {
  try {
    const context = new RequestContext(server, HttpMethod.GET);
    await state.config.applySecurityAuthentication(context);
    return context.getDispatcher();
  } catch (error) {
    state.tls = undefined;
    throw error;
  }
}

/** A request may hold the old one and not have sent anything yet: it does so before the next turn. */
async function closeLater(dispatcher: State['dispatcher']): Promise<void> {
  const old = await dispatcher.catch(() => undefined);
  setImmediate(() => void old?.close());
}

function fingerprint({ ca, cert, key, pfx, passphrase, servername, rejectUnauthorized }: RequestOptions): string {
  const parts = [ca, cert, key, pfx, passphrase, servername, rejectUnauthorized];
  return hash(
    'sha256',
    JSON.stringify(parts.map((part) => (Buffer.isBuffer(part) ? part.toString('hex') : (part ?? null)))),
  );
}

/** A token file may end in a line break; one inside is refused by the HTTP client. */
function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const found = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value).trim()]);
  const basic = typeof auth === 'string' ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
  return { ...basic, ...Object.fromEntries(found) };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** A plugin may print much; its first line says what is wrong. */
const lineOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).trim().split('\n', 1)[0]?.slice(0, 500) ?? '';
