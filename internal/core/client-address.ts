import type { BlockList } from 'node:net';
import { canonicalAddress, isPrivateAddress, networkOf } from './address.ts';
import type { Attributes } from './attributes.ts';
import type { Client } from './request.ts';

/** How an instance learns its clients' addresses (`--client-address`); never a policy's business. */
export type ClientAddressSource =
  | { readonly kind: 'unset' }
  | { readonly kind: 'direct' }
  | { readonly kind: 'hops'; readonly hops: number }
  | { readonly kind: 'cidrs'; readonly trusted: BlockList }
  | { readonly kind: 'header'; readonly name: string };

const UNKNOWN: Client = Object.freeze({ address: null, network: null });
/** Most trusted entries of `x-forwarded-for` that are walked over; a longer road is nobody's. */
const MAX_TRUSTED = 64;
const V4_WITH_PORT = /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/;
const V6_WITH_PORT = /^\[([^\]]+)\](?::\d{1,5})?$/;

/**
 * The client's address. `x-forwarded-for` is read right to left, over trusted hops only; what cannot be read is
 * unknown, never the next best entry.
 */
export function clientOf(source: ClientAddressSource, attributes: Attributes): Client {
  const address = addressOf(source, attributes);
  return address === undefined ? UNKNOWN : { address, network: networkOf(address) };
}

function addressOf(source: ClientAddressSource, attributes: Attributes): string | undefined {
  const peer = canonicalAddress(attributes.source.address);
  if (source.kind === 'direct') return peer;
  if (source.kind === 'unset') return peer === undefined || isPrivateAddress(peer) ? undefined : peer;
  if (source.kind === 'header') return singleAddress(attributes.headers.get(source.name));
  const forwarded = forwardedFor(attributes.headers.get('x-forwarded-for'));
  return source.kind === 'hops' ? entryFromRight(forwarded, source.hops) : overTrusted(source.trusted, peer, forwarded);
}

/**
 * The entry that the outermost of so many hops appended. What lies left of it is the client's to write, as much of it as
 * it likes, and is not looked at.
 */
function entryFromRight(forwarded: string | undefined, hops: number): string | undefined {
  if (forwarded === undefined) return undefined;
  let end = forwarded.length;
  for (let hop = 1; hop < hops; hop += 1) {
    end = commaBefore(forwarded, end);
    if (end === -1) return undefined;
  }
  return readEntry(forwarded.slice(commaBefore(forwarded, end) + 1, end));
}

/** The first address from the right, the peer's own included, that no trusted hop holds. */
function overTrusted(trusted: BlockList, peer: string | undefined, forwarded: string | undefined): string | undefined {
  if (peer === undefined || !isTrusted(trusted, peer) || forwarded === undefined) return peer;
  let client: string | undefined = peer;
  let end = forwarded.length;
  for (let walked = 0; end !== -1; walked += 1) {
    if (walked > MAX_TRUSTED) return undefined;
    const comma = commaBefore(forwarded, end);
    client = readEntry(forwarded.slice(comma + 1, end));
    if (client === undefined || !isTrusted(trusted, client)) return client;
    end = comma;
  }
  return client;
}

/** `lastIndexOf` takes a negative place for the first one. */
const commaBefore = (text: string, end: number): number => (end <= 0 ? -1 : text.lastIndexOf(',', end - 1));

/** Whether the peer is a hop whose `x-forwarded-*` this instance believes. */
export function isTrustedHop(source: ClientAddressSource, attributes: Attributes): boolean {
  if (source.kind === 'hops') return true;
  if (source.kind !== 'cidrs') return false;
  const peer = canonicalAddress(attributes.source.address);
  return peer !== undefined && isTrusted(source.trusted, peer);
}

const isTrusted = (trusted: BlockList, address: string): boolean =>
  trusted.check(address, address.includes(':') ? 'ipv6' : 'ipv4');

/** Every line, as one list of entries. */
function forwardedFor(lines: readonly string[] | undefined): string | undefined {
  return lines === undefined || lines.length <= 1 ? lines?.[0] : lines.join(',');
}

function readEntry(entry: string | undefined): string | undefined {
  const text = entry?.trim();
  if (text === undefined || text === '') return undefined;
  return canonicalAddress(V4_WITH_PORT.exec(text)?.[1] ?? V6_WITH_PORT.exec(text)?.[1] ?? text);
}

function singleAddress(values: readonly string[] | undefined): string | undefined {
  return values?.length === 1 ? readEntry(values[0]) : undefined;
}
