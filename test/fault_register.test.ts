import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { ALL_FAULTS } from './attack/all-faults.ts';
import { ON_PATH } from './attack/fault-register.ts';
import { registerGaps } from './attack/register-gaps.ts';
import { pointsOf, sourcePoints } from './attack/source-points.ts';

const points = sourcePoints(resolve(import.meta.dirname, '..'));
const injections = new Set(ALL_FAULTS.map(({ at }) => at));

describe('the register of faults', () => {
  it('knows every place where the program waits or asks what can fail, and no other', () => {
    assert.deepEqual(registerGaps(points, injections), []);
  });

  it('uses every injection', () => {
    const used = new Set(Object.values(ON_PATH).flatMap((entries) => Object.values(entries).flat()));
    // What no one place of the source stands for.
    const apart = ['no steps', 'snapshot', 'telling: metrics'];
    assert.deepEqual(
      [...injections].filter((at) => !used.has(at) && !apart.includes(at)),
      [],
    );
  });

  it('names a place that is new, and one that is gone', () => {
    const [gone, ...rest] = points;
    assert.ok(gone);
    const added = { file: 'internal/policy/evaluate.ts', owner: 'Engine.#new', what: 'await 1' };
    const gaps = registerGaps([...rest, added], injections);
    assert.match(gaps.join('\n'), /evaluate\.ts: "Engine\.#new await 1" is new: give it its injection/);
    assert.equal(gaps.length, 2);
  });
});

describe('pointsOf()', () => {
  it('names places by what they lie in, in code and nowhere else', () => {
    const source = `
      // await a comment
      const text = "await" + \`await \${await one()} }\` + 'x'.replace(/await'/, '');
      export class Waiter<T> {
        readonly #first = Promise.withResolvers<void>();
        async get(): Promise<void> { for await (const x of xs) await x; await 1; }
        static async other() { await this.get().then(() => {}, undefined); }
      }
      export interface Port { readonly ask: (text: string) => void; tell?(): void; readonly not: (A | B)[]; }
      export type Step = (given: number) => void;
      type None = string;
      async function last() { return a / b / (await c); }
    `;
    assert.deepEqual(
      pointsOf('internal/core/x.ts', source).map(({ owner, what }) => `${owner} ${what}`),
      [
        'text await 1',
        'Waiter.#first Promise.withResolvers 1',
        'Waiter.get for await 1',
        'Waiter.get await 1',
        'Waiter.get await 2',
        'Waiter.other await 1',
        'Waiter.other .then 1',
        'Port.ask port 1',
        'Port.tell port 1',
        'Step port 1',
        'last await 1',
      ],
    );
  });
});
