import type { RunningEnvoy } from '../../internal/envoy/process.ts';
import { mustAllow } from '../asked.ts';
import type { Figure } from '../figures.ts';
import { API_KEY, apiKeyPolicies } from '../policies.ts';
import { median, startPostern } from '../servers.ts';
import { loadThroughEnvoy, startBenchEnvoy } from '../through-envoy.ts';
import { startGoNoop } from './go-noop.ts';
import { FULL, type Lengths } from './lengths.ts';

/** The tail of the requests, in milliseconds: without the filter, with Postern behind it, with the no-op of grpc-go. */
interface Round {
  readonly without: number;
  readonly postern: number;
  readonly go: number;
}

/** What the filter adds to the 99th percentile of requests through an Envoy, 32 in flight, against the no-op of grpc-go. */
export async function measureEnvoyTail(
  say: (line: string) => void,
  { pairs, seconds }: Lengths = FULL,
): Promise<Figure[]> {
  const server = await startPostern(apiKeyPolicies(1));
  await mustAllow(server, 'h0.example.org', { 'x-api-key': API_KEY });
  const go = await startGoNoop();
  const alone = await startBenchEnvoy(undefined);
  const asking = await startBenchEnvoy(server.target);
  const askingGo = await startBenchEnvoy(go.target);
  for (const envoy of [alone, asking, askingGo]) await loadThroughEnvoy(envoy, Math.min(3, seconds));
  const rounds: Round[] = [];
  for (let i = 0; i < pairs; i += 1) {
    const tail = async (envoy: RunningEnvoy): Promise<number> => (await loadThroughEnvoy(envoy, seconds)).p99Ms;
    const round = { without: await tail(alone), postern: await tail(asking), go: await tail(askingGo) };
    say(`  p99 ${round.without} ms without, ${round.postern} ms with Postern, ${round.go} ms with grpc-go`);
    rounds.push(round);
  }
  await Promise.all([alone, asking, askingGo, server, go].map((each) => each.stop()));
  const [added, addedByGo] = [
    median(rounds.map(({ without, postern }) => postern - without)),
    median(rounds.map(({ without, go: withGo }) => withGo - without)),
  ];
  return [
    {
      key: 'envoy_p99_vs_go',
      value: Math.round((1000 * added) / addedByGo) / 1000,
      unit: 'ratio',
      bar: '<= 1.2',
      note: `${added.toFixed(2)} ms against ${addedByGo.toFixed(2)} ms more than ${median(rounds.map(({ without }) => without)).toFixed(2)} ms; medians of ${pairs} rounds`,
    },
  ];
}
