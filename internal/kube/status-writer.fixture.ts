import { ManualTimers } from './manual-timers.fixture.ts';
import { ScriptedApi, Told } from './scripted-api.fixture.ts';
import { type DesiredStatus, StatusWriter } from './status-writer.ts';

/** The status of a policy of the namespace "shop". */
export const desired = (name: string, parts: Partial<DesiredStatus> = {}): DesiredStatus => ({
  resource: { group: 'postern.dev', version: 'v1alpha1', plural: 'apipolicies' },
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'APIPolicy',
  namespace: 'shop',
  name,
  uid: `uid-${name}`,
  generation: 5,
  resourceVersion: '7',
  status: { conditions: [] },
  ...parts,
});

/** A writer before an API server that a test plays, with a clock that it moves, and what it tells. */
export interface WriterBench {
  readonly api: ScriptedApi;
  readonly timers: ManualTimers;
  readonly told: Told;
  readonly writer: StatusWriter;
}

/** @param random from 0 to 1: how long pauses are */
export async function startWriter(random: number): Promise<WriterBench> {
  const api = await ScriptedApi.start();
  const timers = new ManualTimers();
  const told = new Told();
  const writer = new StatusWriter({
    config: api.config,
    fieldManager: 'postern-edge',
    clock: timers,
    timers,
    random: () => random,
    onWrite: (result, why) => told.add(why === undefined ? result : `${result} ${why}`),
  });
  return { api, timers, told, writer };
}
