import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ManualTimers } from './manual-timers.fixture.ts';
import { aStatus, ScriptedApi, settled, Told } from './scripted-api.fixture.ts';
import { type UnansweredClass, UnansweredClasses } from './unanswered-classes.ts';

const LOOK_MS = 75_000;

const policy = (
  name: string,
  className: string | undefined,
  conditions?: readonly object[],
  namespace = 'shop',
): object => ({
  metadata: { name, namespace, uid: `uid-${namespace}-${name}` },
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
  const textOf = ({ className, count, isAtLeast, policies }: UnansweredClass): string =>
    `${className} ${count}${isAtLeast ? '+' : ''} ${policies}`;
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
    onLeave: () => told.add('left'),
  });
  classes.start();
}

/** Waits until the next look is planned, and nothing else. */
async function planned(): Promise<number> {
  while (timers.left.length !== 1 || (timers.left[0] ?? 0) < LOOK_MS) await settled(1);
  return timers.left[0] ?? 0;
}

/** @returns how often it waited before it asked */
async function asking(): Promise<number> {
  for (let turns = 1; ; turns += 1) {
    timers.advance(LOOK_MS);
    while (api.waiting.length === 0 && !timers.left.some((ms) => ms >= LOOK_MS)) await settled(1);
    if (api.waiting.length > 0) return turns;
  }
}

/** @returns how often it waited before it asked */
async function look(...pages: readonly (readonly object[])[]): Promise<number> {
  const turns = await asking();
  for (const [index, items] of pages.entries())
    (await api.next()).json(list(items, index < pages.length - 1 ? `page ${index + 1}` : ''));
  await planned();
  return turns;
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
    const one = { count: 1, isAtLeast: false, isServed: false };
    assert.deepEqual(all, [
      [
        { ...one, className: 'edeg', isForPods: false, policies: ['shop/a'] },
        { ...one, className: 'edeg', isForPods: true, policies: ['shop/b'] },
        { ...one, className: 'web', isForPods: false, isServed: true, policies: ['shop/c'] },
      ],
    ]);
  });

  it('asks less than once a minute, however many pages there are', async () => {
    const pages = Array.from({ length: 40 }, (_, page) => [policy(`p${page}`, 'edeg')]);
    await look(...pages);
    assert.equal(await look(...pages), 40);
  });

  it('nor more often where the API server refuses some page, or its namespaces are many', async () => {
    classes.stop();
    begin(['a', 'b', 'c', 'd']);
    await asking();
    for (let place = 0; place < 4; place += 1) (await api.next()).json(list([]));
    await planned();
    assert.equal(await asking(), 4);
    for (let place = 0; place < 3; place += 1) (await api.next()).json(list([]));
    (await api.next()).json(aStatus(403), 403);
    await planned();
    assert.equal(await asking(), 4);
  });

  it('has no namespace hide the classes of others, by however many policies and classes', async () => {
    const flood = Array.from({ length: 1500 }, (_, i) => policy(`p${i}`, `c${1000 + (i % 400)}`, undefined, 'a-evil'));
    const found = [...flood, policy('orders', 'edeg'), policy('cart', 'zzz', undefined, 'web')];
    for (let time = 0; time < 2; time += 1) await look(found);
    const said = told.rest[0]?.split('; ') ?? [];
    assert.deepEqual([said.length, ...said.slice(-2)], [16, 'edeg 1 shop/orders', 'zzz 1 web/cart']);
    assert.equal(said[0], 'c1000 4 a-evil/p0,a-evil/p400,a-evil/p800');
  });

  it('nor name policies of its own in their place', async () => {
    const flood = Array.from({ length: 50 }, (_, i) => policy(`p${i}`, 'edeg', undefined, 'a-evil'));
    const found = [...flood, policy('orders', 'edeg')];
    for (let time = 0; time < 2; time += 1) await look(found);
    assert.deepEqual(told.rest, ['edeg 51 shop/orders,a-evil/p0,a-evil/p1']);
  });

  it('remembers a bounded number of policies of a namespace, and says of more that they are not counted', async () => {
    const found = Array.from({ length: 5000 }, (_, i) => policy(`p${i}`, 'edeg'));
    for (let time = 0; time < 2; time += 1) await look(found);
    assert.deepEqual(told.rest, ['edeg 64+ shop/p0,shop/p1,shop/p2']);
  });

  it('takes back what it said when another replica speaks for the class, and says it anew when this one does', async () => {
    for (let time = 0; time < 2; time += 1) await look([policy('a', 'edeg')]);
    isSpeaker = false;
    timers.advance(2 * LOOK_MS);
    await settled(3);
    assert.deepEqual(told.rest, ['edeg 1 shop/a', 'left'], 'once');
    isSpeaker = true;
    for (let time = 0; time < 2; time += 1) await look([policy('a', 'edeg')]);
    assert.deepEqual(told.rest.slice(2), ['edeg 1 shop/a']);
  });

  it('says nothing that it found while another replica became the one to speak', async () => {
    await look([policy('a', 'edeg')]);
    await asking();
    isSpeaker = false;
    (await api.next()).json(list([policy('a', 'edeg')]));
    await planned();
    assert.deepEqual(told.rest, []);
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
    await asking();
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
    await planned();
    assert.equal(await asking(), 2);
  });
});
