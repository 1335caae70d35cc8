import { encodeBlock } from './hpack/encoder.ts';
import { headersFrame } from './settings.ts';

/** Codes of gRPC that the door itself answers with. */
export const STATUS = Object.freeze({
  ok: 0,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
});

export interface GrpcStatus {
  readonly code: number;
  /** For whoever looks at the client; any text. */
  readonly message: string;
}

const CONTENT_TYPE = ['content-type', 'application/grpc'] as const;
const MAX_MESSAGE = 1024;

/** Opens an answer. */
export const ANSWER_HEAD: Buffer = headersFrame(encodeBlock([[':status', '200'], CONTENT_TYPE]), false);
/** Ends one that went well. */
export const OK_TRAILERS: Buffer = headersFrame(encodeBlock([['grpc-status', '0']]), true);

/** Ends an answer of which something was sent. */
export const trailersFrame = (status: GrpcStatus): Buffer => headersFrame(encodeBlock(fieldsOf(status)), true);

/** A whole answer without a message (Trailers-Only). */
export const refusalFrame = (status: GrpcStatus): Buffer =>
  headersFrame(encodeBlock([[':status', '200'], CONTENT_TYPE, ...fieldsOf(status)]), true);

function fieldsOf({ code, message }: GrpcStatus): (readonly [string, string])[] {
  const status: readonly [string, string] = ['grpc-status', String(code)];
  return message === '' ? [status] : [status, ['grpc-message', percentEncoded(message.slice(0, MAX_MESSAGE))]];
}

/** What is not printable ASCII, and `%`, as `%XX` of its UTF-8 bytes (gRPC over HTTP/2, Status-Message). */
export function percentEncoded(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}
