import { isIP } from 'node:net';
import { isLoopback, type ListenAddress } from '../core/listen-address.ts';
import { cannotListen } from '../listen/listen.ts';
import { json, type Route, type RunningHttpServer, startHttpServer } from './http-server.ts';

export interface DebugServerOptions {
  readonly address: ListenAddress;
  /** By path, as `/debug/policies`: what is answered as JSON at each request. */
  readonly pages: ReadonlyMap<string, () => unknown>;
  readonly onError: (error: unknown) => void;
}

const FLAG = 'debug-addr';

/**
 * Everything the instance knows, for who sits at its machine: on loopback or a unix socket only, and only for requests
 * that name such a host, so that a page in a browser cannot reach it under its own name (DNS rebinding).
 *
 * @throws {PosternError} ERR_POSTERN_LISTEN when the address is reachable from outside, or in use
 */
export async function startDebugServer({ address, pages, onError }: DebugServerOptions): Promise<RunningHttpServer> {
  if (!isLoopback(address)) {
    const hint = 'it is reachable from outside: write an address of 127.0.0.0/8, "[::1]:PORT" or "unix:/path"';
    throw cannotListen({ address, flag: FLAG }, hint);
  }
  const routes = new Map<string, Route>();
  for (const [path, page] of pages) routes.set(path, () => json(200, page()));
  const paths = [...pages.keys()];
  routes.set('/debug', () => json(200, { pages: paths }));
  return startHttpServer({ address, flag: FLAG, routes, isHostAllowed: isLocalHost, onError });
}

/** `localhost`, a loopback address, with or without a port; unix sockets are asked under any of these. */
export function isLocalHost(host: string | undefined): boolean {
  const name = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::[0-9]{1,5})?$/i.exec(host ?? '')?.[1]?.toLowerCase();
  if (name === undefined) return false;
  if (name === 'localhost' || name === '[::1]') return true;
  return isIP(name) === 4 && name.startsWith('127.');
}
