import type { ClientAddressSource } from '../core/client-address.ts';
import { cidrList, holdsEverything } from './cidr-list.ts';
import { type Parsed, parsed, refused } from './option.ts';

const HEADER = /^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
/** Fields that clients may have begun and that hold lists: their last hop is not told by taking them whole. */
const LISTS: ReadonlySet<string> = new Set(['x-forwarded-for', 'forwarded']);
const MAX_HOPS = 16;
const HINT = 'is not one of direct, forwarded-for:hops=N, forwarded-for:cidrs=CIDRS, header:NAME';

/** `direct | forwarded-for:hops=N | forwarded-for:cidrs=… | header:NAME`. */
export function clientAddressSource(text: string): Parsed<ClientAddressSource> {
  if (text === 'direct') return parsed({ kind: 'direct' });
  if (text.startsWith('header:')) return fromHeader(text.slice('header:'.length).toLowerCase());
  if (text.startsWith('forwarded-for:hops=')) return fromHops(text.slice('forwarded-for:hops='.length));
  if (text.startsWith('forwarded-for:cidrs=')) return fromCidrs(text.slice('forwarded-for:cidrs='.length));
  return refused(HINT);
}

function fromHeader(name: string): Parsed<ClientAddressSource> {
  if (!HEADER.test(name)) return refused('does not name a header, as in "header:x-envoy-external-address"');
  if (LISTS.has(name)) return refused(`takes "${name}" whole, which clients can begin: write forwarded-for:hops=N`);
  return parsed({ kind: 'header', name });
}

function fromHops(text: string): Parsed<ClientAddressSource> {
  const hops = /^[1-9][0-9]?$/.test(text) ? Number(text) : MAX_HOPS + 1;
  return hops > MAX_HOPS
    ? refused(`does not give 1–${MAX_HOPS} trusted hops, as in "forwarded-for:hops=1"`)
    : parsed({ kind: 'hops', hops });
}

function fromCidrs(text: string): Parsed<ClientAddressSource> {
  const networks = cidrList(text);
  if (!networks.ok) return networks;
  if (holdsEverything(networks.value)) return refused('trusts every address, so any client could name its own');
  return parsed({ kind: 'cidrs', trusted: networks.value.list });
}
