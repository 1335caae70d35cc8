import { lookup as dnsLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { Agent, request } from 'undici';
import { canonicalAddress } from '../core/address.ts';
import { PosternError } from '../core/error.ts';

/** Where policies may make the agent connect to. */
export interface OutboundRules {
  /** Standalone and single-namespace instances: http, private and loopback addresses too. */
  readonly isRelaxed: boolean;
  /** `--outbound-allow`: further networks, private ones included. */
  readonly allowed: BlockList;
  /** Addresses that are never connected to, the API server's among them. */
  readonly forbidden: BlockList;
}

/** Link-local, metadata, multicast and unspecified addresses: never, whatever the operator allows. */
const NEVER = networks(['0.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '240.0.0.0/4'], ['::/128', 'fe80::/10', 'ff00::/8', 'fd00:ec2::/32']);
const PRIVATE = networks(
  ['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '172.16.0.0/12', '192.0.0.0/24', '192.168.0.0/16', '198.18.0.0/15'],
  ['::1/128', 'fc00::/7', '100::/64', '2001:db8::/32'],
);
/** IPv6 forms that carry an IPv4 address, which is the one that is reached: NAT64 and 6to4. */
const NAT64 = /^64:ff9b::/;
const SIX_TO_FOUR = /^2002:/;

function networks(v4: readonly string[], v6: readonly string[]): BlockList {
  const list = new BlockList();
  for (const [cidrs, family] of [[v4, 'ipv4'], [v6, 'ipv6']] as const) {
    for (const cidr of cidrs) {
      const [address = '', prefix = '0'] = cidr.split('/');
      list.addSubnet(address, Number(prefix), family);
    }
  }
  return list;
}

/** Why an address may not be connected to; undefined when it may. */
export function whyRefused(text: string, rules: OutboundRules): string | undefined {
  const address = canonicalAddress(text);
  if (address === undefined) return 'is not an IP address';
  const isIn = (list: BlockList): boolean => list.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
  if (isIn(NEVER) || NAT64.test(address) || SIX_TO_FOUR.test(address)) return 'is link-local, multicast or translated, which is never connected to';
  if (isIn(rules.forbidden)) return "is the API server's";
  if (rules.isRelaxed || isIn(rules.allowed) || !isIn(PRIVATE)) return undefined;
  return 'is private: --outbound-allow can add its network';
}

const MAX_BYTES = 1_048_576;
const TIMEOUT_MS = 5000;

export interface Fetched {
  readonly body: string;
  readonly cacheControl: string;
}

/** Fetches small JSON documents for policies, from addresses that policies may name. */
export class OutboundClient {
  readonly #rules: OutboundRules;
  readonly #agent: Agent;

  constructor(rules: OutboundRules) {
    this.#rules = rules;
    // The address is judged where it is used, after DNS: a name that changes its mind gains nothing.
    this.#agent = new Agent({
      connect: { lookup: guardedLookup(rules), timeout: TIMEOUT_MS },
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      maxResponseSize: MAX_BYTES,
      connections: 4,
    });
  }

  /**
   * One GET without redirects; at most 1 MiB and 5 s.
   *
   * @throws {PosternError} ERR_POSTERN_OUTBOUND_REFUSED, ERR_POSTERN_KEYS_UNAVAILABLE
   */
  async get(url: string): Promise<Fetched> {
    this.#check(url);
    try {
      const { statusCode, headers, body } = await request(url, { dispatcher: this.#agent, headers: { accept: 'application/json' } });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`it answered ${statusCode}`);
      return { body: text, cacheControl: String(headers['cache-control'] ?? '') };
    } catch (error) {
      if (error instanceof PosternError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new PosternError('ERR_POSTERN_KEYS_UNAVAILABLE', `Cannot fetch "${url}": ${why}`, { cause: error });
    }
  }

  #check(text: string): void {
    const url = URL.parse(text);
    const refuse = (why: string): never => {
      throw new PosternError('ERR_POSTERN_OUTBOUND_REFUSED', `Cannot fetch "${text}": ${why}`);
    };
    if (url === null) return refuse('it is not a URL');
    if (url.protocol !== 'https:' && !(this.#rules.isRelaxed && url.protocol === 'http:')) return refuse('it must be https');
    if (url.username !== '' || url.password !== '') return refuse('it holds a password');
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const why = isIP(host) === 0 ? undefined : whyRefused(host, this.#rules);
    return why === undefined ? undefined : refuse(`its address ${why}`);
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

function guardedLookup(rules: OutboundRules): LookupFunction {
  return (hostname, options, callback) => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '', 0);
      const refused = addresses.map(({ address }) => whyRefused(address, rules)).find((why) => why !== undefined);
      const [first] = addresses;
      if (refused !== undefined || first === undefined) {
        const message = `Cannot connect to "${hostname}": its address ${refused ?? 'is unknown'}`;
        return callback(new PosternError('ERR_POSTERN_OUTBOUND_REFUSED', message), '', 0);
      }
      return options.all === true ? callback(null, addresses) : callback(null, first.address, first.family);
    });
  };
}
