import { canonicalAddress, groupsOf, isPrivateAddress } from '../core/address.ts';

/** How an address is written: as it should be, or in a way that only some programs read as one. */
export interface NamedAddress {
  /** Canonical text. */
  readonly address: string;
  /** Octal, hexadecimal, shortened, or one number; v4-mapped or -compatible. */
  readonly isOdd: boolean;
}

const MAX_UINT32 = 0xffff_ffff;

/**
 * The address that a host names, as `inet_aton` and URL parsers read it: `127.1`, `0x7f000001`, `017700000001`,
 * `2130706433`, `[::ffff:7f00:1]`; undefined for names.
 *
 * @param host lower case, without port and trailing dot
 * @see WHATWG URL, the IPv4 parser
 */
export function addressOf(host: string): NamedAddress | undefined {
  if (host.startsWith('[') || host.includes(':')) return sixOf(host);
  const canonical = canonicalAddress(host);
  if (canonical !== undefined) return { address: canonical, isOdd: false };
  const parts = host.split('.', 5);
  if (parts.length > 4) return undefined;
  const numbers = parts.map(numberOf);
  if (numbers.some((number) => number === undefined)) return undefined;
  const last = numbers.at(-1) ?? 0;
  const heads = numbers.slice(0, -1).map((number) => number ?? 0);
  if (heads.some((number) => number > 255) || last > MAX_UINT32 || last >= 256 ** (5 - parts.length)) return undefined;
  const value = heads.reduce((sum, number, i) => sum + number * 256 ** (3 - i), last);
  return { address: dotted(value), isOdd: true };
}

/** Decimal, `0x…` or `0…`; nothing else. */
function numberOf(part: string): number | undefined {
  if (/^0x[0-9a-f]{0,16}$/.test(part)) return Number.parseInt(part.slice(2) || '0', 16);
  if (/^0[0-7]{1,22}$/.test(part)) return Number.parseInt(part, 8);
  return /^[0-9]{1,10}$/.test(part) ? Number(part) : undefined;
}

const dotted = (value: number): string => [24, 16, 8, 0].map((shift) => (value / 2 ** shift) & 255).join('.');

function sixOf(host: string): NamedAddress | undefined {
  const inner = host.startsWith('[') ? host.slice(1).replace(/\].*$/, '') : host;
  const address = canonicalAddress(inner.split('%', 1)[0] ?? '');
  if (address === undefined) return undefined;
  if (!address.includes(':')) return { address, isOdd: true };
  const groups = groupsOf(address);
  // v4-compatible, NAT64 and 6to4 addresses carry an IPv4 one.
  const isCompatible = groups.slice(0, 6).every((group) => group === 0) && (groups[6] ?? 0) !== 0;
  const isNat64 = groups[0] === 0x64 && groups[1] === 0xff9b;
  if (isCompatible || isNat64) return { address: dotted((groups[6] ?? 0) * 65_536 + (groups[7] ?? 0)), isOdd: true };
  if (groups[0] === 0x2002) return { address: dotted((groups[1] ?? 0) * 65_536 + (groups[2] ?? 0)), isOdd: true };
  return { address, isOdd: false };
}

/** An address that only we can reach. */
export const isInward = (address: string): boolean =>
  isPrivateAddress(address) || address === '255.255.255.255' || isBenchmark(address);

/** 192.0.0.0/24 and 198.18.0.0/15, which clouds use inside. */
const isBenchmark = (address: string): boolean => address.startsWith('192.0.0.') || /^198\.1[89]\./.test(address);
