import { isIP } from 'node:net';

/** Where a server listens. An empty `host` is every interface; port 0 lets the system choose. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** As an operator writes it: `:9191`, `[::1]:9191`, `unix:/path`. */
export function addressText(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

/** Whether only this machine can reach it: a unix socket, 127.0.0.0/8 or ::1. Names do not count: they can change. */
export function isLoopback(address: ListenAddress): boolean {
  if (address.kind === 'unix') return true;
  return address.host === '::1' || (isIP(address.host) === 4 && address.host.startsWith('127.'));
}
