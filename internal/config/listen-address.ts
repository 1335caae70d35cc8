import { isIP } from 'node:net';
import { canonicalAddress } from '../core/address.ts';
import { isLoopback, type ListenAddress } from '../core/listen-address.ts';
import { type Parsed, parsed, refused } from './option.ts';

/** Longest path of a unix socket that Linux takes, without the final NUL (unix(7)). */
const MAX_SOCKET_PATH = 107;
const HOST_PORT = /^(?:\[([^\]]+)\]|([^:[\]]*)):([0-9]{1,5})$/;
const HOST_NAME = /^[a-zA-Z0-9]([-a-zA-Z0-9.]{0,251}[a-zA-Z0-9])?$/;
const HINT = 'is not an address: write ":9191", "127.0.0.1:9191", "[::1]:9191" or "unix:/run/postern.sock"';

/** `:port`, `host:port`, `[IPv6]:port` or `unix:/path`. */
export function listenAddress(text: string): Parsed<ListenAddress> {
  if (text.startsWith('unix:')) return socketPath(text.slice('unix:'.length));
  const [, literal, name, portText] = HOST_PORT.exec(text) ?? [];
  const port = Number(portText);
  if (portText === undefined || port > 65_535) return refused(HINT);
  if (literal !== undefined) {
    const host = isIP(literal) === 6 ? canonicalAddress(literal) : undefined;
    return host === undefined ? refused(HINT) : parsed({ kind: 'tcp', host, port });
  }
  const host = name ?? '';
  const isDotted = /^[0-9.]+$/.test(host);
  if (host !== '' && (isDotted ? isIP(host) !== 4 : !HOST_NAME.test(host))) return refused(HINT);
  return parsed({ kind: 'tcp', host, port });
}

function socketPath(path: string): Parsed<ListenAddress> {
  if (!path.startsWith('/')) return refused('is not the absolute path of a socket, as in "unix:/run/postern.sock"');
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH || /\p{Cc}/u.test(path)) {
    return refused(`is not the path of a socket: at most ${MAX_SOCKET_PATH} bytes, no control characters`);
  }
  return parsed({ kind: 'unix', path });
}

/** The address of the debug server, which shows everything: this machine only, or none. */
export function debugAddress(text: string): Parsed<ListenAddress | 'off'> {
  if (text === 'off') return parsed('off');
  const address = listenAddress(text);
  if (!address.ok || isLoopback(address.value)) return address;
  return refused('is reachable from outside: write an address of 127.0.0.0/8, "[::1]:PORT", "unix:/path" or "off"');
}
