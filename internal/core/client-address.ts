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
/** Addresses looked at in `x-forwarded-for`, from the right; a longer list is not believed. */
const MAX_HOPS = 64;
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
  if (forwarded === undefined) return undefined;
  if (source.kind === 'hops') return readEntry(forwarded.at(-source.hops));
  return overTrusted(source.trusted, peer, forwarded);
}

/** The first address from the right, the peer's own included, that no trusted hop holds. */
function overTrusted(trusted: BlockList, peer: string | undefined, forwarded: readonly string[]): string | undefined {
  if (peer === undefined || !isTrusted(trusted, peer)) return peer;
  let client: string | undefined = peer;
  for (let i = forwarded.length - 1; i >= 0; i -= 1) {
    client = readEntry(forwarded[i]);
    if (client === undefined || !isTrusted(trusted, client)) return client;
  }
  return client;
}

/** Whether the peer is a hop whose `x-forwarded-*` this instance believes. */
export function isTrustedHop(source: ClientAddressSource, attributes: Attributes): boolean {
  if (source.kind === 'hops') return true;
  if (source.kind !== 'cidrs') return false;
  const peer = canonicalAddress(attributes.source.address);
  return peer !== undefined && isTrusted(source.trusted, peer);
}

const isTrusted = (trusted: BlockList, address: string): boolean =>
  trusted.check(address, address.includes(':') ? 'ipv6' : 'ipv4');

function forwardedFor(lines: readonly string[] | undefined): string[] | undefined {
  if (lines === undefined) return [];
  const entries = lines.flatMap((line) => line.split(','));
  return entries.length > MAX_HOPS ? undefined : entries;
}

function readEntry(entry: string | undefined): string | undefined {
  const text = entry?.trim();
  if (text === undefined || text === '') return undefined;
  return canonicalAddress(V4_WITH_PORT.exec(text)?.[1] ?? V6_WITH_PORT.exec(text)?.[1] ?? text);
}

function singleAddress(values: readonly string[] | undefined): string | undefined {
  return values?.length === 1 ? readEntry(values[0]) : undefined;
}
