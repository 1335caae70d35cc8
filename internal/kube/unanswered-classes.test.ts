import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ManualTimers } from './manual-timers.fixture.ts';
import { aStatus, ScriptedApi, settled, Told } from './scripted-api.fixture.ts';
import { type UnansweredClass, UnansweredClasses } from './unanswered-classes.ts';

const LOOK_MS = 75_000;

const policy = (name: string, className: string | undefined, conditions?: readonly object[]): object => ({
  metadata: { name, namespace: 'shop', uid: `uid-${name}` },
  spec: { className },
  ...(conditions && { status: { conditions } }),
});
const list = (items: readonly object[], next = ''): object => ({
  metadata: { resourceVersion: '7', continue: next },
  items,
});

let api: ScriptedApi;
let timers: ManualTimers;
let told: Told;
let isSpeaker: boolean;
let classes: UnansweredClasses;

async function setUp(): Promise<void> {
  api = await ScriptedApi.start();
  timers = new ManualTimers();
  told = new Told();
  isSpeaker = true;
  begin([]);
}

function begin(namespaces: readonly string[], onFound: (found: readonly UnansweredClass[]) => void = () => {}): void {
  const textOf = ({ className, count, policies }: UnansweredClass): string => `${className} ${count} ${policies}`;
  classes = new UnansweredClasses({
    config: api.config,
    timers,
    className: 'edge',
    namespaces,
    isSpeaker: () => isSpeaker,
    onChange(found) {
      onFound(found);
      told.add(found.map(textOf).join('; ') || 'none');
    },
  });
  classes.start();
}

/** Waits until the next look is planned, and nothing else. */
async function planned(): Promise<number> {
  while (timers.left.length !== 1 || (timers.left[0] ?? 0) < LOOK_MS) await settled(1);
  return timers.left[0] ?? 0;
}

async function look(...pages: readonly (readonly object[])[]): Promise<number> {
  timers.advance(timers.left[0] ?? 0);
  for (const [index, items] of pages.entries())
    (await api.next()).json(list(items, index < pages.length - 1 ? `page ${index + 1}` : ''));
  return planned();
}

describe('UnansweredClasses', () => {
  beforeEach(setUp);
  afterEach(async () => {
    classes.stop();
    await api.stop();
  });

  it('asks for the policies of all other classes, and tells those that two looks found without a status', async () => {
    timers.advance(LOOK_MS);
    const asked = await api.next();
    assert.deepEqual(
      [asked.method, asked.path, asked.query.fieldSelector],
      ['GET', '/apis/postern.dev/v1alpha1/apipolicies', 'spec.className!=edge'],
    );
    const found = [
      ...['a', 'b', 'c', 'd'].map((name) => policy(name, 'edeg')),
      policy('served', 'sidecar', [{ type: 'Accepted' }]),
      policy('own', 'edge'),
      policy('of-default', undefined),
    ];
    asked.json(list(found));
    assert.equal(await planned(), LOOK_MS);
    assert.deepEqual(told.rest, []);
    await look(found);
    assert.deepEqual(told.rest, ['edeg 4 shop/a,shop/b,shop/c; postern 1 shop/of-default']);
    await look([...found]);
    assert.deepEqual(told.rest, ['edeg 4 shop/a,shop/b,shop/c; postern 1 shop/of-default'], 'and no more than once');
    await look([policy('a', 'edeg', [{ type: 'Accepted' }])]);
    assert.deepEqual(told.rest.slice(1), ['none']);
  });

  it('tells apart what selects Pods, and what an instance serves elsewhere', async () => {
    const forPods = (name: string) => ({
      ...policy(name, 'edeg'),
      spec: { className: 'edeg', target: { workloadSelector: { matchLabels: { app: 'a' } } } },
    });
    const found = [policy('a', 'edeg'), forPods('b'), policy('c', 'web'), policy('d', 'web', [{ type: 'Accepted' }])];
    const all: (readonly UnansweredClass[])[] = [];
    classes.stop();
    begin([], (told) => all.push(told));
    await look(found);
    await look(found);
    const one = { count: 1, isServed: false };
    assert.deepEqual(all, [
      [
        { ...one, className: 'edeg', isForPods: false, policies: ['shop/a'] },
        { ...one, className: 'edeg', isForPods: true, policies: ['shop/b'] },
        { ...one, className: 'web', isForPods: false, isServed: true, policies: ['shop/c'] },
      ],
    ]);
  });

  it('waits longer where there are more policies, and tells of a bounded number', async () => {
    const many = (page: number) => Array.from({ length: 400 }, (_, i) => policy(`p${page}-${i}`, `c${i % 40}`));
    assert.equal(await look(many(1), many(2), many(3)), 3 * LOOK_MS);
    await look(many(1), many(2), many(3));
    const said = told.rest[0]?.split('; ') ?? [];
    assert.equal(said.length, 16);
    assert.ok((said[0]?.length ?? 0) < 100, `${said[0]}`);
  });

  it('asks nothing while another replica speaks for the class, and again when this one does', async () => {
    isSpeaker = false;
    timers.advance(5 * LOOK_MS);
    await settled(3);
    assert.deepEqual(api.waiting, []);
    isSpeaker = true;
    await look([policy('a', 'edeg')]);
    await look([policy('a', 'edeg')]);
    assert.deepEqual(told.rest, ['edeg 1 shop/a']);
  });

  it('keeps what it said while the API server refuses, and asks again', async () => {
    await look([policy('a', 'edeg')]);
    await look([policy('a', 'edeg')]);
    timers.advance(LOOK_MS);
    (await api.next()).json(aStatus(403), 403);
    await planned();
    await look([policy('a', 'edeg')]);
    assert.deepEqual(told.rest, ['edeg 1 shop/a']);
  });

  it('asks in its namespaces alone where these are named', async () => {
    classes.stop();
    begin(['shop', 'web']);
    timers.advance(LOOK_MS);
    for (const namespace of ['shop', 'web']) {
      const asked = await api.next();
      assert.equal(asked.path, `/apis/postern.dev/v1alpha1/namespaces/${namespace}/apipolicies`);
      asked.json(list([]));
    }
    assert.equal(await planned(), 2 * LOOK_MS);
  });
});
