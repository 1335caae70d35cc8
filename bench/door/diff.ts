import { caseFiles } from '../../test/http2/differences/case-requests.ts';
import {
  type Compared,
  compareCalls,
  compareConnections,
  compareMessages,
} from '../../test/http2/differences/compare-doors.ts';
import { recordTraffic } from '../../test/http2/differences/recorded-traffic.ts';
import type { Figure } from '../figures.ts';

/** How much is made of what was recorded. */
export interface DiffLengths {
  /** Of each message, beside every case file's objects. */
  readonly mutations: number;
  readonly calls: number;
  /** Of each recorded connection. */
  readonly connections: number;
}

const FULL: DiffLengths = Object.freeze({ mutations: 20, calls: 50_000, connections: 500 });
const SEED = 6;
/** A difference is said with its bytes, which can be many. */
const SHOWN = 2000;

/** Answers of the native door that differ from those of grpc-js, on what an Envoy sent, what the case files ask, and mutations. */
export async function measureDifferences(
  say: (line: string) => void,
  { mutations, calls, connections }: DiffLengths = FULL,
): Promise<Figure[]> {
  const results: Compared[] = [];
  const take = (what: string, result: Compared): void => {
    results.push(result);
    say(`  ${what}: ${result.compared} compared, ${result.passed} passed, ${result.differences.length} differ`);
    for (const difference of result.differences) say(`    ${difference.slice(0, SHOWN)}`);
  };
  const recorded = await recordTraffic();
  say(`  recorded: ${recorded.messages.length} messages over ${recorded.connections.length} connections of Envoy`);
  take('connections', await compareConnections(recorded.connections, connections, SEED));
  take('calls', await compareCalls(recorded.messages, calls, SEED));
  for (const file of caseFiles()) take(file.file, await compareMessages(file, recorded.messages, mutations, SEED));
  const sum = (pick: (result: Compared) => number): number => results.reduce((total, each) => total + pick(each), 0);
  return [
    {
      key: 'door_diff',
      value: sum(({ differences }) => differences.length),
      unit: 'answers',
      bar: '0',
      note: `of ${sum(({ compared }) => compared)} compared, of which ${sum(({ passed }) => passed)} passed; ${recorded.messages.length} messages recorded from Envoy`,
    },
  ];
}
