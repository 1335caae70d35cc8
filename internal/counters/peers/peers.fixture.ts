import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { calendarNamed } from '../../phases/ratelimit/calendar.ts';
import { MemoryStore } from '../memory-store.ts';
import { PeerCounters, type PeerCountersOptions } from './peer-counters.ts';

/** A directory of sockets, for as long as a test runs. */
export function aDirectory(t: Pick<TestContext, 'after'>): string {
  const directory = mkdtempSync(join(tmpdir(), 'postern-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export const aMemory = (): MemoryStore => new MemoryStore({ maxKeys: 1000, onEvict: () => undefined });

/** A worker that is not open yet. */
export function aPeer(
  options: Pick<PeerCountersOptions, 'index' | 'count' | 'directory'> & Partial<PeerCountersOptions>,
): PeerCounters {
  const rest = { generations: [], local: aMemory(), calendarNamed, onTrouble: () => undefined };
  return new PeerCounters({ ...rest, ...options });
}

export interface Peers {
  readonly peers: readonly PeerCounters[];
  readonly directory: string;
  /** Why connections were ended. */
  readonly troubles: readonly string[];
}

/** So many workers in this process, over real sockets, each connected to all others. */
export async function somePeers(
  t: Pick<TestContext, 'after'>,
  count: number,
  options: Partial<PeerCountersOptions> = {},
): Promise<Peers> {
  const directory = aDirectory(t);
  const troubles: string[] = [];
  const onTrouble = (why: string): number => troubles.push(why);
  const peers = Array.from({ length: count }, (_, index) => aPeer({ index, count, directory, onTrouble, ...options }));
  t.after(() => Promise.all(peers.map((peer) => peer.close())));
  await Promise.all(peers.map((peer) => peer.open()));
  await Promise.all(peers.map((peer) => peer.connected()));
  return { peers, directory, troubles };
}
