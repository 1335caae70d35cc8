import { isIPv4, isIPv6, SocketAddress } from 'node:net';

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;
const NAT64 = /^64:ff9b::/;

/**
 * The one text of an IP address: IPv4 dotted, IPv6 as RFC 5952, v4-mapped as the IPv4 it is.
 *
 * @returns undefined for anything else: zone identifiers, octal or hexadecimal forms, ports
 */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  return MAPPED.exec(address)?.[1] ?? address;
}

/** The eight 16-bit groups of a canonical IPv6 address. */
export function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const groups = (part: string): number[] =>
    part === ''
      ? []
      : part.split(':').flatMap((group) => {
          if (!group.includes('.')) return [Number.parseInt(group, 16)];
          const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
          return [a * 256 + b, c * 256 + d];
        });
  const left = groups(head);
  if (tail === undefined) return left;
  const right = groups(tail);
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
}

/**
 * The network that one client is taken to hold: an IPv4 address's /32, an IPv6 address's /64; behind NAT64
 * (64:ff9b::/96) the embedded IPv4 address's /32, for that whole /64 is shared by strangers.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return `${address}/32`;
  const groups = groupsOf(address);
  if (NAT64.test(address) && groups.slice(2, 6).every((group) => group === 0)) {
    const [high = 0, low = 0] = groups.slice(6);
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}/32`;
  }
  const prefix = [...groups.slice(0, 4), 0, 0, 0, 0].map((group) => group.toString(16)).join(':');
  return `${canonicalAddress(prefix) ?? prefix}/64`;
}

/** Loopback, link-local, private and shared addresses: peers that cannot be the client of a public API. */
export function isPrivateAddress(address: string): boolean {
  if (address.includes(':')) return /^(?:::1?$|fe[89ab]|f[cd])/.test(address);
  return /^(?:10\.|127\.|0\.|169\.254\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/.test(
    address,
  );
}
