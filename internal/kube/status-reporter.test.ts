import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { SourceObject } from '../policy/object.ts';
import type { ObjectReport } from '../policy/store.ts';
import { unpackSpec } from './accepted-spec.ts';
import { ManualTimers } from './manual-timers.fixture.ts';
import { Programming } from './programming.ts';
import type { Replica } from './replicas.ts';
import { type Asked, aStatus, ScriptedApi, settled, Told } from './scripted-api.fixture.ts';
import { servingOf } from './serving.ts';
import { StatusReporter } from './status-reporter.ts';

interface Parts {
  readonly kind?: string;
  readonly version?: string;
  readonly generation?: number;
  readonly status?: unknown;
  readonly uid?: string;
}

function anObject(
  name: string,
  { kind = 'APIPolicy', version = '7', generation = 1, status, uid }: Parts = {},
): SourceObject {
  const metadata = { name, namespace: 'shop', uid: uid ?? `uid-${name}`, generation, resourceVersion: version };
  return { apiVersion: 'postern.dev/v1alpha1', kind, metadata, spec: {}, ...(status !== undefined && { status }) };
}

const aReport = (object: SourceObject, parts: Partial<ObjectReport> = {}): ObjectReport => ({
  object,
  isAccepted: true,
  servesLastGood: false,
  servingGeneration: object.metadata.generation,
  isShadowed: false,
  problems: [],
  hosts: [],
  ...parts,
});

let api: ScriptedApi;
let timers: ManualTimers;
let told: Told;
let reporter: StatusReporter;
async function setUp(): Promise<void> {
  api = await ScriptedApi.start();
  timers = new ManualTimers();
  told = new Told();
  reporter = new StatusReporter({
    config: api.config,
    className: 'edge',
    clock: timers,
    timers,
    random: () => 0,
    onWrite: (result) => told.add(result),
  });
}

async function tearDown(): Promise<void> {
  reporter.stop();
  await api.stop();
}

/** The next status that is written; it is taken. */
async function written(): Promise<{ readonly path: string; readonly status: unknown }> {
  const { path, body, json } = await taken();
  json({});
  await told.next();
  return { path, status: (body as { status: unknown }).status };
}
const taken = (): Promise<Asked> => api.next('/status');

async function nothingMore(): Promise<void> {
  await settled();
  assert.deepEqual([api.waiting, reporter.waiting], [[], 0]);
}

describe('StatusReporter', () => {
  beforeEach(setUp);
  afterEach(tearDown);

  it('writes nothing without the lease, and everything that is new once it has it', async () => {
    reporter.report([aReport(anObject('a'))]);
    await nothingMore();
    reporter.resume();
    assert.match((await written()).path, /\/apipolicies\/a\/status$/);
    await nothingMore();
  });

  it('writes the same words once, also while a watch still shows what was there before', async () => {
    reporter.resume();
    reporter.report([aReport(anObject('a'))]);
    const { status } = await written();
    reporter.report([aReport(anObject('a'))]);
    timers.advance(60_000);
    reporter.report([aReport(anObject('a', { version: '8', status }))]);
    reporter.report([aReport(anObject('a', { version: '8', status }))]);
    await nothingMore();
  });

  it('records anew what a baseline gives, though the policy is as it was', async () => {
    const given = (percent: number) => [
      { section: 'auditLog', by: 'platform', value: { allows: { percent } } } as const,
    ];
    const before = given(1);
    const recorded = async (): Promise<unknown> =>
      unpackSpec(anObject('a', { status: (await written()).status }), 'edge')?.spec;
    reporter.resume();
    reporter.report([aReport(anObject('a'), { given: before })]);
    assert.deepEqual(await recorded(), { auditLog: { allows: { percent: 1 } } });
    reporter.report([aReport(anObject('a'), { given: before })]);
    await nothingMore();
    reporter.report([aReport(anObject('a'), { given: given(2) })]);
    assert.deepEqual(await recorded(), { auditLog: { allows: { percent: 2 } } });
    await nothingMore();
  });

  it('writes nothing where the object says it already, as after a restart', async () => {
    reporter.resume();
    reporter.report([aReport(anObject('a'))]);
    const { status } = await written();
    reporter.pause();
    timers.advance(3_600_000);
    reporter.report([aReport(anObject('a', { version: '8', status }))]);
    reporter.resume();
    await nothingMore();
  });

  it('writes again over what somebody else wrote there', async () => {
    reporter.resume();
    reporter.report([aReport(anObject('a'))]);
    const { status } = await written();
    reporter.report([aReport(anObject('a', { version: '9', status: { conditions: [] } }))]);
    assert.deepEqual((await written()).status, status);
  });

  it('writes nothing against another release of its class that says the same since another time', async () => {
    reporter.resume();
    reporter.report([aReport(anObject('a'))]);
    const { status } = await written();
    const theirs = JSON.parse(
      JSON.stringify(status).replaceAll(/"lastTransitionTime":"[^"]*"/g, '"lastTransitionTime":"2020-01-01T00:00:00Z"'),
    );
    assert.notDeepEqual(theirs, status);
    reporter.report([aReport(anObject('a', { version: '9', status: theirs }))]);
    await nothingMore();
  });

  for (const more of [{ heldBy: ['platform'] }, { isLapsed: true }]) {
    it(`writes anew when a refused policy has other words for what becomes of it: ${Object.keys(more)}`, async () => {
      reporter.resume();
      const audited = { ...anObject('a'), spec: { mode: 'Audit' } };
      const refused = { isAccepted: false, servingGeneration: undefined, hosts: ['a.test'] };
      reporter.report([aReport(audited, refused)]);
      const before = JSON.stringify((await written()).status);
      reporter.report([aReport(audited, { ...refused, ...more })]);
      assert.notEqual(JSON.stringify((await written()).status), before);
    });
  }

  it('writes what is new of one, and of no other', async () => {
    reporter.resume();
    const [a, b] = [anObject('a'), anObject('b')];
    reporter.report([aReport(a), aReport(b)]);
    await written();
    await written();
    const problem = { reason: 'Invalid', path: 'spec', message: 'mend it', severity: 'error' } as const;
    reporter.report([aReport(a), aReport(b, { isAccepted: false, problems: [problem] })]);
    assert.match((await written()).path, /\/b\/status$/);
    await nothingMore();
  });

  it('gives one that was made anew under its name a status of its own', async () => {
    reporter.resume();
    reporter.report([aReport(anObject('a'))]);
    await written();
    reporter.report([aReport(anObject('a', { uid: 'another', version: '20' }))]);
    assert.match((await written()).path, /\/a\/status$/);
  });

  it('writes of a shared kind only the entry of its class', async () => {
    reporter.resume();
    const theirs = { className: 'other', conditions: [] };
    reporter.report([aReport(anObject('r', { kind: 'APIRole', status: { instances: [theirs] } }))]);
    const { status } = await written();
    const [entry, ...others] = (status as { instances: { className: string }[] }).instances;
    assert.deepEqual([entry?.className, others], ['edge', []]);
    const both = { instances: [theirs, entry] };
    reporter.pause();
    reporter.report([aReport(anObject('r', { kind: 'APIRole', version: '8', status: both }))]);
    reporter.resume();
    await nothingMore();
  });

  it('stops with the lease: what waits is forgotten, and what is under way is broken off', async () => {
    reporter.resume();
    reporter.report([aReport(anObject('a')), aReport(anObject('b'))]);
    const [first, second] = [await taken(), await taken()];
    first.json(aStatus(503), 503);
    assert.deepEqual(await told.next(), ['failure']);
    reporter.pause();
    await second.gone;
    timers.advance(600_000);
    reporter.report([aReport(anObject('c'))]);
    await nothingMore();
    reporter.resume();
    assert.match((await written()).path, /\/c\/status$/);
  });

  it('keeps the accepted spec that it wrote last, whatever older status a watch shows', async () => {
    reporter.resume();
    reporter.report([aReport(anObject('a', { generation: 2 }))]);
    const { accepted } = (await written()).status as { accepted: { generation: number } };
    assert.equal(accepted.generation, 2);
    const stale = { conditions: [], accepted: { generation: 1, spec: 'old' } };
    const broken = anObject('a', { generation: 3, version: '8', status: stale });
    reporter.report([aReport(broken, { isAccepted: false, servingGeneration: 2 })]);
    assert.deepEqual(((await written()).status as { accepted: unknown }).accepted, accepted);
  });
});

describe('StatusReporter, one of several replicas', () => {
  let replicas: readonly Replica[] = [];
  let isWriter = true;
  beforeEach(async () => {
    await setUp();
    isWriter = true;
    const programming = new Programming({ alive: () => replicas, scope: () => '*', own: () => undefined });
    reporter = new StatusReporter({
      config: api.config,
      className: 'edge',
      clock: timers,
      timers,
      random: () => 0,
      programming,
      mayWrite: () => isWriter,
      onWrite: (result) => told.add(result),
    });
  });
  afterEach(tearDown);

  /** One replica for each version that it has come to. */
  function haveCome(...versions: string[]): void {
    replicas = versions.map((version, i) => ({ name: `r${i}`, serving: servingOf([], { '*': version }, []) }));
    reporter.replicasChanged();
  }

  const programmedIn = (status: unknown): string => {
    const { conditions } = status as {
      conditions: { type: string; status: string; reason: string; message: string }[];
    };
    const found = conditions.find(({ type }) => type === 'Programmed');
    return `${found?.status} ${found?.reason} ${found?.message}`.trim();
  };

  it('writes once what all serve within a second', async () => {
    haveCome('7', '6');
    reporter.resume();
    reporter.report([aReport(anObject('a'))]);
    await settled();
    timers.advance(900);
    await nothingMore();
    haveCome('7', '7');
    timers.advance(20);
    assert.equal(programmedIn((await written()).status), 'True Programmed');
    await nothingMore();
  });

  it('writes twice what takes longer: who is awaited, and then that all serve it; nothing in between', async () => {
    haveCome('6', '7', '6');
    reporter.resume();
    reporter.report([aReport(anObject('a'))]);
    await settled();
    timers.advance(1000);
    const { status } = await written();
    assert.equal(programmedIn(status), 'False Pending 1 of 3 replicas serve generation 1; not yet "r0", "r2"');
    reporter.report([aReport(anObject('a', { version: '8', status }))]);
    haveCome('7', '7', '6');
    for (let s = 0; s < 5; s += 1) {
      await settled();
      timers.advance(1000);
    }
    await nothingMore();
    haveCome('7', '7', '7');
    timers.advance(20);
    assert.equal(programmedIn((await written()).status), 'True Programmed');
  });

  it('says at once what is refused, whoever is awaited for something else', async () => {
    haveCome('1');
    reporter.resume();
    reporter.report([aReport(anObject('a'), { isAccepted: false })]);
    assert.match(programmedIn((await written()).status), /^False NeverAccepted/);
  });

  it('writes nothing for replicas that come and go, nor does the next writer', async () => {
    haveCome('7');
    reporter.resume();
    reporter.report([aReport(anObject('a'))]);
    const { status } = await written();
    haveCome('7', '3');
    reporter.report([aReport(anObject('a', { version: '8', status }))]);
    timers.advance(60_000);
    await nothingMore();
    reporter.pause();
    reporter.resume();
    await settled();
    timers.advance(60_000);
    await nothingMore();
  });

  it('names once by how many replicas a limit counts, also when there are more later and another writes', async () => {
    const limited = (parts: Parts = {}) => aReport(anObject('a', parts), { localLimits: { hasOwn: true, by: [] } });
    haveCome('7', '7', '7');
    reporter.resume();
    reporter.report([limited()]);
    const { status } = await written();
    const { conditions } = status as { conditions: { type: string; reason: string; message: string }[] };
    const warning = conditions.find(({ type }) => type === 'Warning');
    assert.deepEqual(
      [warning?.reason, warning?.message],
      [
        'LocalLimit',
        'spec.rateLimits: each of 3 replicas counts by itself, so that up to 3 times as many requests pass',
      ],
    );
    haveCome('7', '7', '7', '7', '7');
    reporter.pause();
    reporter.report([limited({ version: '8', status })]);
    reporter.resume();
    await nothingMore();
  });

  it('says of limits that came with a baseline, after the policy was programmed, that they count locally', async () => {
    haveCome('7', '7', '7');
    reporter.resume();
    reporter.report([aReport(anObject('a'))]);
    const { status } = await written();
    const localLimits = { hasOwn: false, by: ['platform'] };
    reporter.report([aReport(anObject('a', { version: '8', status }), { localLimits })]);
    const said = (await written()).status as { conditions: { type: string; message: string }[] };
    assert.equal(
      said.conditions.find(({ type }) => type === 'Warning')?.message,
      'each of 3 replicas counts by itself, so that up to 3 times as many requests pass (APIBaseline "platform" has limits for it)',
    );
    haveCome('7', '7', '7', '7');
    reporter.pause();
    reporter.report([aReport(anObject('a', { version: '9', status: said }), { localLimits })]);
    reporter.resume();
    await nothingMore();
  });

  it('writes nothing when it is not the writer any more by its own clock, though nobody has told it so', async () => {
    haveCome('7');
    reporter.resume();
    isWriter = false;
    reporter.report([aReport(anObject('a'))]);
    await nothingMore();
  });
});
