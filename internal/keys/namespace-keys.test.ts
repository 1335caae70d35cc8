import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KeySet, KeySource } from '../phases/authn/key-source.ts';
import { MAX_WAITING_OF_NAMESPACE, NamespaceKeys } from './namespace-keys.ts';
import { Prefetch } from './prefetch.ts';

const SET: KeySet = { keys: [], ids: new Set() };

/** A source whose issuer hangs until it is told to answer. */
function hanging(known?: KeySet): KeySource & { readonly asked: () => number; answer(): void } {
  const { promise, resolve } = Promise.withResolvers<KeySet>();
  let asked = 0;
  const fetch = (): Promise<KeySet> => {
    asked += 1;
    return promise;
  };
  return { current: () => known, fetch, asked: () => asked, answer: () => resolve(SET) };
}

describe('NamespaceKeys', () => {
  it('lets a namespace whose issuers hang take no room from another that waits for the same ones', async () => {
    const source = hanging();
    const [evil, bank] = [new NamespaceKeys(source, { count: 0 }), new NamespaceKeys(source, { count: 0 })];
    const waiting = Array.from({ length: MAX_WAITING_OF_NAMESPACE }, () => evil.fetch());
    await assert.rejects(evil.fetch(), { code: 'ERR_POSTERN_KEYS_UNAVAILABLE' });
    const other = bank.fetch();
    assert.equal(source.asked(), MAX_WAITING_OF_NAMESPACE + 1);
    source.answer();
    assert.deepEqual(new Set(await Promise.all([...waiting, other])), new Set([SET]));
    assert.equal(await evil.fetch(), SET);
  });

  it('counts what waits for all sources of a namespace together, and serves what is known beside it', async () => {
    const waiting = { count: MAX_WAITING_OF_NAMESPACE };
    assert.equal(await new NamespaceKeys(hanging(SET), waiting).fetch(), SET);
    await assert.rejects(new NamespaceKeys(hanging(), waiting).fetch(), /Too many checks of this namespace/);
  });
});

describe('Prefetch', () => {
  it('fetches for others beside a namespace whose thousands of issuers hang', () => {
    const prefetch = new Prefetch();
    const evil = Array.from({ length: 5000 }, () => hanging());
    for (const source of evil) prefetch.add(source, 'evil');
    const bank = hanging();
    prefetch.add(bank, 'bank');
    assert.deepEqual([evil.filter((source) => source.asked() > 0).length, bank.asked()], [4, 1]);
  });

  it('goes on with what waits, namespaces in turn, also behind one that fails', async () => {
    const prefetch = new Prefetch();
    const order: string[] = [];
    const failing = (name: string): KeySource => ({
      current: () => undefined,
      fetch: () => {
        order.push(name);
        return Promise.reject(new Error('down'));
      },
    });
    for (let i = 0; i < 8; i += 1) prefetch.add(failing(`a${i}`), 'a');
    for (let i = 0; i < 6; i += 1) prefetch.add(failing(`b${i}`), 'b');
    while (order.length < 14) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(order.slice(0, 8), ['a0', 'a1', 'a2', 'a3', 'b0', 'b1', 'b2', 'b3']);
    assert.equal(new Set(order).size, 14);
  });
});
