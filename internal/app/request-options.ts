import { isIP } from 'node:net';
import { z } from 'zod';
import { PosternError } from '../core/error.ts';

/** A header as it was typed. */
export type Header = readonly [name: string, value: string];

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Any control character but the tab. */
const CONTROL = /[^\P{Cc}\t]/u;

const mistake = (message: string): PosternError => new PosternError('ERR_POSTERN_CONFIG', message);

/**
 * Headers of a command line, and the host if one of them names it. Of a wrong one only its beginning is said: the rest
 * may be a key.
 *
 * @throws {PosternError} ERR_POSTERN_CONFIG
 */
export function readHeaders(texts: readonly string[]): { readonly headers: readonly Header[]; readonly host?: string } {
  const all = texts.map(readHeader);
  const hosts = all.filter(([name]) => name === 'host');
  if (hosts.length > 1) throw mistake('-H "host" is given twice: a request has one host');
  const headers = all.filter(([name]) => name !== 'host');
  const host = hosts[0]?.[1];
  return host === undefined ? { headers } : { headers, host };
}

function readHeader(text: string): Header {
  const colon = text.indexOf(':');
  const name = text.slice(0, colon).toLowerCase();
  const value = text.slice(colon + 1).trim();
  const shown = /^[^\s:]*/.exec(text)?.[0] ?? '';
  if (colon < 1 || !TOKEN.test(name)) throw mistake(`-H "${shown}" is no header: write it as "name: value"`);
  if (CONTROL.test(value)) throw mistake(`-H "${shown}" has a value with control characters`);
  return [name, value];
}

/** @throws {PosternError} ERR_POSTERN_CONFIG */
export function readClient(text: string): string {
  if (isIP(text) === 0) throw mistake(`--client "${text}" is no IP address: write "192.0.2.1" or "2001:db8::1"`);
  return text;
}

/**
 * @returns epoch milliseconds
 * @throws {PosternError} ERR_POSTERN_CONFIG
 */
export function readInstant(text: string): number {
  if (!z.iso.datetime({ offset: true }).safeParse(text).success)
    throw mistake(`--now "${text}" is no time: write it as "2027-11-01T08:00:00Z" (RFC 3339)`);
  return Date.parse(text);
}

export interface RequestUrl {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly target: string;
}

/** The URL is split by hand: a parser would clean the path that is to be tried. */
const URL_PARTS = /^([a-z][a-z0-9+.-]{0,31}):\/\/([^/?#]+)([^#]*)(#?)/i;
const MAX_PORT = 65_535;

/**
 * @throws {PosternError} ERR_POSTERN_CONFIG, which repeats no more of the text than its scheme and port: the rest may be
 * a header's value that lost its quotes
 */
export function readUrl(text: string): RequestUrl {
  const [, schemeText = '', host, target, fragment] = URL_PARTS.exec(text) ?? [];
  if (host === undefined) throw mistake('The argument is no URL: write it as http://localhost/v1/orders/7');
  const scheme = schemeText.toLowerCase();
  if (scheme !== 'http' && scheme !== 'https')
    throw mistake(`The URL has the scheme "${scheme}": Envoy asks for http and https only`);
  if (fragment !== '') throw mistake('The URL has a fragment, which no client sends: leave out "#" and what follows');
  const port = /:([0-9]+)$/.exec(host)?.[1];
  if (port !== undefined && (Number(port) === 0 || Number(port) > MAX_PORT))
    throw mistake(`The URL has the port "${port}": write a number from 1 to ${MAX_PORT}`);
  return { scheme, host, target: target || '/' };
}
