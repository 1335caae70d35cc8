import { BlockList, isIP } from 'node:net';
import { canonicalAddress, groupsOf } from '../core/address.ts';
import type { ProblemList } from '../core/problem.ts';

const PREFIX = /^(?:0|[1-9]\d{0,2})$/;

/**
 * Networks as one look-up. An address without prefix is one host. Host bits that are set are refused: the author meant
 * another network.
 */
export function compileCidrs(cidrs: readonly string[], problems: ProblemList): BlockList | undefined {
  const list = new BlockList();
  let isComplete = true;
  for (const [index, cidr] of cidrs.entries()) {
    const why = addCidr(list, cidr);
    if (why === undefined) continue;
    problems.at(index).error('Invalid', `"${cidr}" ${why}`);
    isComplete = false;
  }
  return isComplete ? list : undefined;
}

function addCidr(list: BlockList, cidr: string): string | undefined {
  const slash = cidr.indexOf('/');
  const address = slash === -1 ? cidr : cidr.slice(0, slash);
  const family = isIP(address);
  if (family === 0 || address.includes('%'))
    return 'is not an IP network: write it as "192.0.2.0/24" or "2001:db8::/32"';
  const most = family === 4 ? 32 : 128;
  const prefixText = slash === -1 ? String(most) : cidr.slice(slash + 1);
  const prefix = Number(prefixText);
  if (!PREFIX.test(prefixText) || prefix > most) return `has the prefix "${prefixText}": it must be 0–${most}`;
  if (family === 6 && address.toLowerCase().startsWith('::ffff:'))
    return 'is a v4-mapped address: write the IPv4 network';
  const type = family === 4 ? 'ipv4' : 'ipv6';
  if (!isNetworkAddress(address, prefix, type)) return 'has host bits set: write the first address of the network';
  list.addSubnet(address, prefix, type);
  return undefined;
}

/** The first address of a network is the one whose lower neighbour is outside it: all bits after the prefix are zero. */
function isNetworkAddress(address: string, prefix: number, family: 'ipv4' | 'ipv6'): boolean {
  const bits = addressBits(canonicalAddress(address) ?? address, family);
  return !bits.slice(prefix).includes('1');
}

function addressBits(address: string, family: 'ipv4' | 'ipv6'): string {
  if (family === 'ipv4')
    return address
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
  return groupsOf(address)
    .map((group) => group.toString(2).padStart(16, '0'))
    .join('');
}

/** Whether a canonical address is in one of the networks. */
export function inCidrs(list: BlockList, address: string): boolean {
  return list.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
}
