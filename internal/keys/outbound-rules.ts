import { BlockList, isIP } from 'node:net';
import { canonicalAddress, groupsOf } from '../core/address.ts';

/** Where policies may make the agent connect to. */
export interface OutboundRules {
  /** Standalone and single-namespace instances: http, private and loopback addresses too. */
  readonly isRelaxed: boolean;
  /** `--outbound-allow`: further networks, private ones included. */
  readonly allowed: BlockList;
  /** The API server's addresses, which are never connected to; undefined while nobody knows them. */
  readonly forbidden: BlockList | undefined;
}

/**
 * Never, whatever the operator allows: link-local, multicast, unspecified and reserved addresses, and those where clouds
 * keep credentials of machines (fd00:ec2::/32, fd20:ce::254, 100.100.100.200, 168.63.129.16, 192.0.0.192).
 */
const NEVER = networks([
  '0.0.0.0/8',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '192.0.0.192/32',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  'fd00:ec2::/32',
  'fd20:ce::254/128',
  'fe80::/10',
  'ff00::/8',
]);

/** IPv6 forms that reach an IPv4 address behind a translator or tunnel: v4-compatible, NAT64, 6to4, Teredo. */
const TRANSLATED = networks(['::/96', '64:ff9b::/96', '64:ff9b:1::/48', '2002::/16', '2001::/32']);
const LOOPBACK6 = '::1';

/** IPv4 that is not public (RFC 6890). */
const PRIVATE4 = networks([
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
]);
/** Public IPv6 is what IANA has given out for it, less documentation (RFC 4291 §2.4, RFC 3849, RFC 9637). */
const GLOBAL6 = networks(['2000::/3']);
const DOCUMENTATION6 = networks(['2001:db8::/32', '3fff::/20']);

function networks(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', prefix = '0'] = cidr.split('/');
    list.addSubnet(address, Number(prefix), address.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** Why an address may not be connected to; undefined when it may. A v4-mapped address is the IPv4 one it reaches. */
export function whyRefused(text: string, rules: OutboundRules): string | undefined {
  const address = canonicalAddress(text);
  if (address === undefined) return 'is not an IP address';
  const isV6 = address.includes(':');
  const isIn = (list: BlockList): boolean => list.check(address, isV6 ? 'ipv6' : 'ipv4');
  if (isIn(NEVER) || (isV6 && address !== LOOPBACK6 && isIn(TRANSLATED)) || isIsatap(address)) {
    return 'is link-local, metadata, multicast, reserved or translated, which is never connected to';
  }
  if (rules.forbidden !== undefined && isIn(rules.forbidden)) return "is the API server's";
  const isPublic = isV6 ? isIn(GLOBAL6) && !isIn(DOCUMENTATION6) : !isIn(PRIVATE4);
  if (isPublic) return undefined;
  if (!rules.isRelaxed && !isIn(rules.allowed)) return 'is private: --outbound-allow can add its network';
  return rules.forbidden === undefined ? "is private, and may be the API server's, which is not known now" : undefined;
}

/** ISATAP interface identifiers hold the IPv4 address that is reached (RFC 5214 §6.1). */
function isIsatap(address: string): boolean {
  if (!address.includes(':')) return false;
  const [, , , , high = 0, low] = groupsOf(address);
  return (high & 0xfdff) === 0 && low === 0x5efe;
}

/** What is wrong with a URL that a policy names, before anything is looked up; undefined when nothing is. */
export function whyRefusedUrl(text: string, rules: OutboundRules): string | undefined {
  const url = URL.parse(text);
  if (url === null) return 'is not a URL';
  if (url.protocol !== 'https:' && !(rules.isRelaxed && url.protocol === 'http:')) return 'must be https';
  if (url.username !== '' || url.password !== '') return 'must not hold a password';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (host === '') return 'names no host';
  const why = isIP(host) === 0 ? undefined : whyRefused(host, rules);
  return why && `must not be used: its address ${why}`;
}
