import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { it } from 'node:test';
import type { EdgeOptions } from '../core/canonicalize.ts';
import { knowledgeOf } from './knowledge.ts';

const NOTHING: EdgeOptions = {
  clientAddress: { kind: 'unset' },
  bodiesForwarded: false,
  transportTls: false,
  trustContextExtensions: false,
};

for (const [flag, edge, known] of [
  ['no flag', {}, []],
  ['--client-address=direct', { clientAddress: { kind: 'direct' } }, ['clientAddress']],
  ['a header with the address', { clientAddress: { kind: 'header', name: 'x-ip' } }, ['clientAddress']],
  ['trusted hops', { clientAddress: { kind: 'hops', hops: 1 } }, ['clientAddress', 'transport']],
  ['trusted networks', { clientAddress: { kind: 'cidrs', trusted: new BlockList() } }, ['clientAddress', 'transport']],
  ['--bodies=forwarded', { bodiesForwarded: true }, ['bodies']],
  ['--transport-security=tls', { transportTls: true }, ['transport']],
  ['--trust-context-extensions', { trustContextExtensions: true }, ['transport', 'bodies']],
] as const satisfies readonly (readonly [string, Partial<EdgeOptions>, readonly string[]])[]) {
  it(`an instance with ${flag} knows ${known.join(' and ') || 'nothing'}`, () => {
    const found = Object.entries(knowledgeOf({ ...NOTHING, ...edge })).flatMap(([name, is]) => (is ? [name] : []));
    assert.deepEqual(found, known);
  });
}
