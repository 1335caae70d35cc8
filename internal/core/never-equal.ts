import { canonicalAddress } from './address.ts';
import { canonicalHost } from './canonical-host.ts';
import { canonicalPath } from './canonical-path.ts';
import type { Identity } from './identity.ts';
import { nearest } from './nearest.ts';
import { mistakenFor } from './registered-methods.ts';

// Texts that an attribute never is. A rule that compares with one would never match: in a `deny`, that lets everyone by.
// Each function says what to write instead, or nothing when the text can be.

/** Such a request is refused before any rule: `get` is not GET. */
export function notMethod(text: string): string | undefined {
  const registered = mistakenFor(text);
  return registered === undefined ? undefined : `A method is never "${text}": write "${registered}"`;
}

/** The path is canonical: no trailing slash, one spelling of each character. */
export function notPath(text: string): string | undefined {
  const canonical = canonicalPath(/^[\x21-\x7e]*$/.test(text) ? text : encodeURI(text.toWellFormed()));
  if (!canonical.ok) return `"${text}" is no canonical path. ${canonical.detail}`;
  return canonical.path === text ? undefined : `A canonical path is never "${text}": write "${canonical.path}"`;
}

/** The same with `caseInsensitive`: in lower case as a whole. */
export function notLowerPath(text: string): string | undefined {
  const lower = text.toLowerCase();
  const problem = notPath(text.replace(/%[0-9a-f]{2}/gi, (byte) => byte.toUpperCase()));
  if (problem !== undefined || text === lower) return problem;
  return `With caseInsensitive a canonical path is never "${text}": write "${lower}"`;
}

/** The host is in lower case, without port and trailing dot. */
export function notHost(text: string): string | undefined {
  const host = canonicalHost(text);
  if (host === undefined) return `"${text}" is no host`;
  return host === text ? undefined : `A canonical host is never "${text}": write "${host}"`;
}

export function notAddress(text: string): string | undefined {
  const address = canonicalAddress(text);
  if (address === undefined) return `"${text}" is no IP address: for a network use cidrs, or client.network`;
  return address === text ? undefined : `A canonical address is never "${text}": write "${address}"`;
}

/** What one client is taken to hold: a /32 of IPv4, a /64 of IPv6. */
export function notNetwork(text: string): string | undefined {
  const slash = text.indexOf('/');
  const address = text.slice(0, Math.max(0, slash));
  const prefix = address.includes(':') ? '/64' : '/32';
  const isNetwork = text.slice(slash) === prefix && canonicalAddress(address) === address;
  return isNetwork ? undefined : `client.network is never "${text}": it is a /32 (IPv4) or a /64 (IPv6)`;
}

const KINDS: readonly Identity['kind'][] = ['anonymous', 'apiKey', 'jwt', 'unauthenticated'];

export function notKind(text: string): string | undefined {
  if (KINDS.some((kind) => kind === text)) return undefined;
  const hint = nearest(text, KINDS);
  return `identity.kind is never "${text}"${hint === undefined ? '' : `: did you mean "${hint}"?`}`;
}
