import { GarbledError } from './kube-error.ts';

const NEWLINE = 0x0a;

/**
 * The lines of a stream of bytes, however it is cut into chunks. What has no line break when the stream ends was cut off
 * and is dropped.
 *
 * @throws {GarbledError} for a line longer than `maxBytes`: what has no end is not kept
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<string, void, undefined> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      parts.push(chunk.subarray(start, end));
      yield textOf(parts);
      parts = [];
      bytes = 0;
      start = end + 1;
    }
    if (start === chunk.length) continue;
    parts.push(chunk.subarray(start));
    bytes += chunk.length - start;
    if (bytes > maxBytes) throw new GarbledError(`The API server sent a line longer than ${maxBytes} bytes`);
  }
}

function textOf(parts: readonly Uint8Array[]): string {
  const [only] = parts;
  return parts.length === 1 && only !== undefined
    ? Buffer.from(only.buffer, only.byteOffset, only.byteLength).toString('utf8')
    : Buffer.concat(parts).toString('utf8');
}
