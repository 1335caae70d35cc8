import { isIPv6, SocketAddress } from 'node:net';

const PORT = /^[0-9]{1,5}$/;
const REG_NAME = /^(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*$/;

/**
 * The one form of an authority: lower-case, without port and one trailing dot; an IPv6 literal keeps its brackets, in
 * RFC 5952 spelling. Lists, user information, empty labels and anything outside ASCII have no one form.
 *
 * @returns undefined for a host that cannot be read in one way
 * @see RFC 9110 §7.2; CVE-2021-39155 (case), CVE-2026-27588
 */
export function canonicalHost(authority: string): string | undefined {
  if (authority.length === 0 || authority.length > 261) return undefined;
  if (authority.charCodeAt(0) === 0x5b) return ipv6Host(authority);
  const colon = authority.indexOf(':');
  let name = colon === -1 ? authority : authority.slice(0, colon);
  if (colon !== -1 && !PORT.test(authority.slice(colon + 1))) return undefined;
  if (name.charCodeAt(name.length - 1) === 0x2e) name = name.slice(0, -1);
  if (name.length > 253 || !REG_NAME.test(name)) return undefined;
  return name.toLowerCase();
}

function ipv6Host(authority: string): string | undefined {
  const close = authority.indexOf(']');
  if (close === -1) return undefined;
  const rest = authority.slice(close + 1);
  if (rest !== '' && !(rest.startsWith(':') && PORT.test(rest.slice(1)))) return undefined;
  const address = authority.slice(1, close);
  if (!isIPv6(address) || address.includes('%')) return undefined;
  return `[${new SocketAddress({ address, family: 'ipv6' }).address}]`;
}
