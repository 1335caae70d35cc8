import type { Readable } from 'node:stream';

/** Longest piece without an end of line that is waited for: a process that writes none has no log. */
const MAX_OPEN = 4 * 1024 * 1024;

/** Hands on what a stream gives, cut only where lines end, and where it ends itself. */
export function wholeLines(stream: Readable, onLines: (lines: string) => void): void {
  let open = '';
  stream.setEncoding('utf8').on('data', (piece: string) => {
    const text = open + piece;
    const end = text.lastIndexOf('\n') + 1;
    open = text.length - end > MAX_OPEN ? '' : text.slice(end);
    if (end > 0) onLines(text.slice(0, end));
  });
  // What a process said last, in the middle of a line, tells most of how it ended.
  stream.once('end', () => {
    if (open !== '') onLines(`${open}\n`);
  });
}
