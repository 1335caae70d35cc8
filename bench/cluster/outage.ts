import { setTimeout as wait } from 'node:timers/promises';
import type { ApiServer } from '../../test/components/api-server.ts';
import { checkOver } from '../../test/door/client.ts';
import type { Figure } from '../figures.ts';
import { type BenchServer, startPostern } from '../servers.ts';
import { anyone, applyObject, createAll } from './objects.ts';
import { withApi } from './with-api.ts';

const OUTAGE_MS = 60_000;
const GIVE_UP_MS = 120_000;
const [OPEN, SHUT] = ['open.example.org', 'shut.example.org'];

interface Tally {
  answers: number;
  /** What was answered wrongly, how often. */
  readonly wrong: Map<string, number>;
}

/**
 * Asks an agent about a host that is open and one that is not. Wrong is an allow for the one that is shut, at any time;
 * and of an agent that knows its policies, a refusal for the one that is open.
 */
async function watch(
  agent: () => { readonly target: string; readonly knows: boolean; readonly mayEnd: boolean } | undefined,
  tally: Tally,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    const asked = agent();
    if (asked !== undefined) {
      for (const host of [OPEN, SHUT]) {
        const http = await checkOver(asked.target, { host }).then(
          (answer) => answer.http,
          () => undefined,
        );
        // Who is restarted while it is asked answers nothing, which Envoy takes for an error; who is not has to answer.
        if (http === undefined && asked.mayEnd) continue;
        tally.answers += 1;
        if (!(host === SHUT ? http === 200 || http === undefined : asked.knows && http !== 200)) continue;
        const what = `${host} ${http ?? 'no answer'}`;
        tally.wrong.set(what, (tally.wrong.get(what) ?? 0) + 1);
      }
    }
    await wait(2);
  }
}

/** The API server is gone for a minute; one agent goes on, another one is restarted meanwhile. */
export const measureOutage = withApi(outage);

async function outage(api: ApiServer, say: (line: string) => void): Promise<Figure[]> {
  await createAll(api, [anyone('open', OPEN, true), anyone('shut', SHUT, false)]);
  const flags = ['--kube', '--kubeconfig', api.kubeconfig];
  const stays = await startPostern('', flags);
  let restarted: BenchServer | undefined = await startPostern('', flags);
  let knows = true;
  const tally: Tally = { answers: 0, wrong: new Map() };
  let isOver = false;
  const watching = Promise.all([
    watch(
      () => ({ target: stays.target, knows: true, mayEnd: false }),
      tally,
      () => isOver,
    ),
    watch(
      () => restarted && { target: restarted.target, knows, mayEnd: true },
      tally,
      () => isOver,
    ),
  ]);
  await wait(1000);
  await api.kill();
  await wait(OUTAGE_MS / 3);
  const old = restarted;
  [restarted, knows] = [undefined, false];
  await old.drain();
  restarted = await startPostern('', flags, 'Postern listens');
  await wait((OUTAGE_MS * 2) / 3);
  await api.restart();
  const backMs = performance.now();
  await applyObject(api, anyone('shut', SHUT, true));
  isOver = true;
  await watching;
  const agents = [stays.target, restarted.target];
  const isEnforced = async (target: string): Promise<boolean> =>
    (await checkOver(target, { host: SHUT }).catch(() => ({ http: 0 }))).http === 200;
  for (const target of agents)
    while (!(await isEnforced(target))) {
      if (performance.now() - backMs > GIVE_UP_MS) throw new Error('A change was not enforced after the outage');
      await wait(10);
    }
  const recoverS = Math.round((performance.now() - backMs) / 100) / 10;
  const wrong = [...tally.wrong.values()].reduce((sum, count) => sum + count, 0);
  const which = JSON.stringify(Object.fromEntries(tally.wrong));
  say(`  ${tally.answers} answers, ${wrong} wrong: ${which}; enforced again after ${recoverS} s`);
  await stays.stop();
  await restarted.stop();
  return [
    {
      key: 'outage_wrong',
      value: wrong,
      unit: 'answers',
      bar: '0',
      note: `${tally.answers} answers of two agents over ${OUTAGE_MS / 1000} s without an API server, one of them restarted meanwhile`,
    },
    {
      key: 'outage_recover_s',
      value: recoverS,
      unit: 's',
      bar: '<= 5',
      note: 'both agents enforce a change that kubectl applied after it',
    },
  ];
}
