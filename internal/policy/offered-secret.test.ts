import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SourceObject } from './object.ts';
import { type KnownSecret, type SecretReader, secretLookup } from './offered-secret.ts';

const secretOf = (given: object, usedBy: unknown = 'APIConsumer/acme'): KnownSecret =>
  ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', namespace: 'shop', uid: 'u', generation: 1, annotations: { 'postern.dev/used-by': usedBy } },
    type: 'postern.dev/credential',
    ...given,
  }) as SourceObject;

function read(secret: KnownSecret): string {
  const found = secretLookup(() => secret)({ name: 's', key: 'k' }, 'acme');
  return 'reason' in found ? `${found.reason}: ${found.message}` : Buffer.from(found).toString();
}

describe('secretLookup()', () => {
  it('reads a key of either kind of data', () => {
    assert.equal(read(secretOf({ stringData: { k: 'plain' } })), 'plain');
    assert.equal(read(secretOf({ data: { k: 'cGxhaW4=' } })), 'plain');
  });

  it('refuses a value that is no text, and throws at none', () => {
    for (const value of [1234567890, true, [1], { a: 'b' }, null]) {
      for (const field of ['stringData', 'data']) {
        assert.equal(read(secretOf({ [field]: { k: value } })), 'Invalid: "k" of the Secret "s" is no text: quote it');
      }
    }
    for (const values of [null, 'text', 7, {}, Object.create({ k: 'inherited' })]) {
      assert.match(read(secretOf({ data: values, stringData: values })), /^SecretNotFound: /);
    }
  });

  it('takes a Secret whose annotation is no text for one that is not offered', () => {
    for (const usedBy of [7, ['APIConsumer/acme'], null]) {
      assert.match(read(secretOf({ stringData: { k: 'plain' } }, usedBy)), /^SecretNotOffered: /);
    }
  });

  it('says in whole commands how to let the agent read a Secret', () => {
    const said = (reader?: SecretReader): string => {
      const found = secretLookup(() => 'forbidden', reader)({ name: 's', key: 'k' }, 'acme');
      return 'reason' in found ? `${found.reason}: ${found.message}` : '';
    };
    assert.equal(
      said({ namespace: 'shop', account: { namespace: 'infra', name: 'gate' } }),
      'SecretsNotReadable: The agent may not read the Secret "s": kubectl -n shop create role gate-reads-s --verb=get,list,watch --resource=secrets --resource-name=s && kubectl -n shop create rolebinding gate-reads-s --role=gate-reads-s --serviceaccount=infra:gate',
    );
    assert.match(
      said({ namespace: 'shop', account: undefined }),
      /rolebinding postern-reads-s --role=postern-reads-s --serviceaccount=AGENT_NAMESPACE:AGENT_SERVICE_ACCOUNT$/,
    );
  });
});
