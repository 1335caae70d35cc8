import type { IncomingMessage } from 'node:http';

/** The body, or that it was longer than may be, or that the sender went away before its end. */
export type ReadBody = Uint8Array | undefined | 'too large' | 'broken off';

/** Whether something follows the head of a message. */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

/**
 * Reads a body to its end and keeps of it what may be. A proxy that is answered while it still sends can lose the
 * answer, and take that for a failure.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<ReadBody> {
  const { promise, resolve } = Promise.withResolvers<ReadBody>();
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) chunks.length = 0;
    else chunks.push(chunk);
  });
  request.on('end', () => {
    if (size > maxBytes) resolve('too large');
    else resolve(size === 0 ? undefined : Buffer.concat(chunks, size));
  });
  request.on('error', () => resolve('broken off'));
  request.on('close', () => resolve('broken off'));
  return promise;
}
