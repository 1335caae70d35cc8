import { BlockList, isIP } from 'node:net';
import { canonicalAddress, groupsOf } from '../core/address.ts';
import { type Parsed, parsed, refused } from './option.ts';

const PREFIX = /^(?:0|[1-9][0-9]{0,2})$/;
const MAX_NETWORKS = 256;

/** Networks of an option: the text for messages, the list for look-ups. */
export interface CidrList {
  readonly texts: readonly string[];
  readonly list: BlockList;
}

/** Networks separated by commas. Host bits that are set are refused: the operator meant another network. */
export function cidrList(text: string): Parsed<CidrList> {
  const texts = text.split(',').map((part) => part.trim());
  if (texts.length > MAX_NETWORKS) return refused(`names ${texts.length} networks: write at most ${MAX_NETWORKS}`);
  const list = new BlockList();
  for (const cidr of texts) {
    const problem = add(list, cidr);
    if (problem !== undefined) return refused(cidr === text ? problem : `holds "${cidr}", which ${problem}`);
  }
  return parsed({ texts: Object.freeze(texts), list });
}

function add(list: BlockList, cidr: string): string | undefined {
  const [text = '', prefixText, ...rest] = cidr.split('/');
  const family = isIP(text);
  const address = canonicalAddress(text);
  if (family === 0 || address === undefined || rest.length > 0) {
    return 'is not an IP network: write it as "192.0.2.0/24" or "2001:db8::/32"';
  }
  if (family === 6 && !address.includes(':')) return 'is a v4-mapped address: write the IPv4 network';
  const most = family === 4 ? 32 : 128;
  const prefix = prefixText === undefined ? most : Number(prefixText);
  if (prefixText !== undefined && (!PREFIX.test(prefixText) || prefix > most)) {
    return `has a prefix that is not 0–${most}`;
  }
  if (bitsOf(address).slice(prefix).includes('1')) return 'has host bits that are set: write the first address';
  list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return undefined;
}

function bitsOf(address: string): string {
  const [groups, width] = address.includes(':') ? [groupsOf(address), 16] : [address.split('.').map(Number), 8];
  return groups.map((group) => group.toString(2).padStart(width, '0')).join('');
}

/** Whether one of the networks is everything: a trust in `0.0.0.0/0` is a trust in any client. */
export const holdsEverything = (networks: CidrList): boolean => networks.texts.some((text) => text.endsWith('/0'));

/** Networks of proxies that are believed: never all there are. */
export function peerNetworks(text: string): Parsed<CidrList> {
  const networks = cidrList(text);
  if (!networks.ok || !holdsEverything(networks.value)) return networks;
  return refused(
    'trusts every address, so any client could say what its request is: write the networks of the proxies',
  );
}
