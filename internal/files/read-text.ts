import type { Stats } from 'node:fs';
import { constants, type FileHandle, open, stat } from 'node:fs/promises';

/** Largest file that is read, in bytes. */
export const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** What can be seen of a file without reading it: two that are equal are of one content. */
export type Look = string;

/** Why a file cannot be read, in words for whoever looks after it. */
export interface Unreadable {
  readonly why: string;
  /** Its files are read apart: nothing of it stays unread. */
  readonly isDirectory?: true;
}

/** At the same time; one after the other takes twice the processor. */
const LOOKS_AT_ONCE = 64;

/** Looks at files and at what their links lead to; nothing is opened, so a pipe or a device does no harm. */
export async function lookAtAll(paths: readonly string[]): Promise<ReadonlyMap<string, Look | Unreadable>> {
  const looks = new Map<string, Look | Unreadable>();
  for (let at = 0; at < paths.length; at += LOOKS_AT_ONCE) {
    const some = paths.slice(at, at + LOOKS_AT_ONCE);
    for (const [index, look] of (await Promise.all(some.map(lookAt))).entries()) looks.set(some[index] ?? '', look);
  }
  return looks;
}

async function lookAt(path: string): Promise<Look | Unreadable> {
  try {
    return lookOf(await stat(path));
  } catch (error) {
    return { why: whyOf(error) };
  }
}

/**
 * Reads a file, unless it is another one by now, or changes meanwhile: then there is no text, and a later look tells
 * more. Reads by the descriptor it has looked at, and never more than a file may hold.
 */
export async function readText(path: string, look: Look): Promise<string | Unreadable | undefined> {
  let file: FileHandle | undefined;
  try {
    // A pipe that nobody writes to would be waited for.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (lookOf(stats) !== look) return undefined;
    const bytes = await readBounded(file, stats.size);
    if (lookOf(await file.stat()) !== look) return undefined;
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    return { why: error instanceof TypeError ? 'It is not UTF-8' : whyOf(error) };
  } finally {
    await file?.close().catch(() => undefined);
  }
}

function lookOf(stats: Stats): Look | Unreadable {
  if (stats.isDirectory()) return { why: 'It is a directory, not a file: give it another name', isDirectory: true };
  if (!stats.isFile()) return { why: 'It is no file' };
  const { size, mtimeMs, ctimeMs, ino, dev } = stats;
  return size > MAX_FILE_BYTES
    ? { why: `It is larger than ${MAX_FILE_BYTES} bytes` }
    : [size, mtimeMs, ctimeMs, ino, dev].join();
}

async function readBounded(file: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = Buffer.alloc(size);
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

/** The system's words without the call and the path, which the problem's place has already. */
export function whyOf(error: unknown): string {
  const { code = '', message = String(error) } = (error ?? {}) as { readonly code?: string; readonly message?: string };
  return `Cannot be read: ${/^\w+: ([^,]+)/.exec(message)?.[1] ?? (code || message)}`;
}
