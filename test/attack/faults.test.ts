import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { closeAll } from '../door/door-client.ts';
import { ALL_FAULTS } from './all-faults.ts';
import { outcomeOf, readOutcome } from './fault.ts';
import { aWorld } from './fault-world.ts';

after(closeAll);

describe('without a fault', () => {
  for (const [asked, outcome] of [
    ['key', 'allow'],
    ['token', 'allow'],
    ['other token', 401],
    ['wrong', 401],
  ] as const) {
    it(`${asked} is answered ${outcome}, so that what follows means something`, async () => {
      const world = await aWorld();
      assert.equal(readOutcome(await world.ask(asked)), outcome);
      assert.equal(readOutcome(await world.askHttp(asked)), outcome);
    });
  }
});

describe('what Envoy takes for an allow', () => {
  for (const [what, bytes] of [
    ['an empty message', new Uint8Array()],
    ['no message', undefined],
    ['an absent status', Uint8Array.of(0x1a, 0)],
    ['an empty status', Uint8Array.of(0x0a, 0)],
  ] as const) {
    it(`${what} counts as one`, () => assert.equal(readOutcome(bytes), 'allow'));
  }
});

describe('a fault is never an allow, and never left without an answer', () => {
  for (const fault of ALL_FAULTS) {
    it(`${fault.at}: ${fault.fault}`, async () => assert.equal(await outcomeOf(fault), fault.becomes));
  }
});

it('gives back once what was taken, also where the decision cannot be told', async () => {
  const given: number[] = [];
  let isFirst = true;
  const world = await aWorld({
    edit: (policies) => policies.replaceAll('onFault: Deny', 'onFault: Deny, countDenied: false'),
    store: {
      take: (takes) => takes.map(() => ({ isWithin: true, remaining: 1, waitMs: 0 })),
      giveBack: (takes) => void given.push(takes.length),
    },
    newDecisionId() {
      if (!isFirst) return 'decision';
      isFirst = false;
      throw new Error('injected');
    },
  });
  assert.equal(readOutcome(await world.ask('wrong')), 500);
  assert.deepEqual(given, [1]);
});
