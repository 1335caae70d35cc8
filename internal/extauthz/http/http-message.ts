import type { IncomingMessage } from 'node:http';
import { type HeaderFields, headerFields } from '../../core/attributes.ts';
import { MAX_HEADERS } from '../wire-headers.ts';
import { decodeText } from '../wire-text.ts';

/** One header line: name in lower case, value as text, which keeps bytes that are no UTF-8 apart (`HeaderFields`). */
export type Line = readonly [name: string, value: string];

/** What a proxy asks over HTTP, before a dialect has read it. */
export interface HttpMessage {
  readonly method: string;
  /** The request target as received. */
  readonly target: string;
  /** Every line in order of arrival. */
  readonly lines: readonly Line[];
  /** The whole body, where the dialect takes one and there is one. */
  readonly body: Uint8Array | undefined;
  /** Epoch milliseconds of its arrival, by the agent's clock. */
  readonly timeMs: number;
}

/**
 * Reads the head of a message; names and values are what gRPC would have told of the same bytes.
 *
 * @returns undefined where there are more fields than the gRPC door takes
 */
export function headOf({
  method = '',
  url = '',
  rawHeaders,
}: IncomingMessage): Omit<HttpMessage, 'body' | 'timeMs'> | undefined {
  if (rawHeaders.length / 2 > MAX_HEADERS) return undefined;
  const lines: Line[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2)
    lines.push([(rawHeaders[i] ?? '').toLowerCase(), textOf(rawHeaders[i + 1] ?? '')]);
  return { method, target: textOf(url), lines };
}

/** Node gives a character for each byte. */
function textOf(latin: string): string {
  const bytes = Buffer.from(latin, 'latin1');
  return decodeText(bytes, 0, bytes.length);
}

/** Values of one field, in order of arrival. */
export const valuesOf = (lines: readonly Line[], name: string): readonly string[] =>
  lines.flatMap(([key, value]) => (key === name ? [value] : []));

/**
 * Fields of the check's own message, which say nothing of the client's: its Host is ours, and a length is that of the
 * message, 0 also where the client sends a body that stays behind.
 */
const OWN: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
]);

/** How a dialect tells of the client's fields. */
export interface Fields {
  /** Those by which it tells of the request itself: what the client sent in them is not told. */
  readonly own: readonly string[];
  /** Further ones that the proxy keeps to itself, and can pass on to the upstream. */
  readonly untold: readonly string[];
  /** Whether a comma can be where the proxy joined two lines. */
  readonly isJoined: boolean;
}

/** Gives the client's fields: all but those of the message itself and the dialect's own, which are untold. */
export function fieldReader({ own, untold, isJoined }: Fields): (lines: readonly Line[]) => HeaderFields {
  const ours: ReadonlySet<string> = new Set([...OWN, ...own]);
  const unknown = new Set([...ours, ...untold]);
  // The client's Host is told, as the host of the request: gRPC has no such field either.
  unknown.delete('host');
  return (lines) =>
    headerFields(
      lines.filter(([name]) => !ours.has(name)),
      isJoined,
      unknown,
    );
}
