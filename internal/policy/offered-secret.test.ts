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

  describe('in a cluster', () => {
    const SHOP: SecretReader = { namespace: 'shop', account: undefined };
    const said = (secret: KnownSecret): string => {
      const found = secretLookup(() => secret, SHOP)({ name: 's', key: 'k' }, 'acme');
      return 'reason' in found ? `${found.reason}: ${found.message}` : 'usable';
    };
    const ASK = `NEW_KEY=$(trap 'stty echo 2>/dev/null' EXIT INT; printf "Type the client's key (postern keys new makes one): " >&2; stty -echo 2>/dev/null; IFS= read -r KEY; echo >&2; printf %s "$KEY") && { [ \${#NEW_KEY} -ge 16 ] || { echo "A key has at least 16 characters: nothing is done" >&2; false; }; }`;
    const CREATE = 'kubectl -n shop create secret generic s --type=postern.dev/credential --from-literal=k="$NEW_KEY"';
    const offer = (to: string): string => `kubectl -n shop annotate --overwrite secret s postern.dev/used-by=${to}`;

    it('says in whole commands how to make a Secret that is not there', () => {
      assert.equal(
        said('absent'),
        `SecretNotFound: There is no Secret "s" in this namespace: ${ASK} && ${CREATE} && ${offer('APIConsumer/acme')}`,
      );
    });

    it('says all that is wrong with one, and how to mend it', () => {
      const data = { k: 'cGxhaW4=' };
      const patch = 'kubectl -n shop patch secret s -p "{\\"stringData\\":{\\"k\\":\\"$NEW_KEY\\"}}"';
      assert.equal(said(secretOf({ data })), 'usable');
      assert.equal(
        said(secretOf({ data }, 'APIConsumer/other, $(reboot)')),
        `SecretNotOffered: The Secret "s" is not offered to APIConsumer/acme: ${offer('APIConsumer/other,APIConsumer/acme')}`,
      );
      assert.equal(
        said(secretOf({ data: {} })),
        `SecretNotFound: The Secret "s" has no data key "k": ${ASK} && ${patch}`,
      );
      assert.equal(
        said(secretOf({ data: {} }, null)),
        `SecretNotOffered: The Secret "s" is not offered to APIConsumer/acme, and has no data key "k": ${ASK} && ${patch} && ${offer('APIConsumer/acme')}`,
      );
    });

    it('tells nothing of the keys of a Secret that is of another type, which has to be made anew', () => {
      for (const data of [{}, { k: 'cGxhaW4=' }])
        assert.equal(
          said(secretOf({ data, type: 'Opaque' }, 'APIConsumer/other')),
          `SecretNotOffered: The Secret "s" is of type "Opaque", not postern.dev/credential, and is not offered to APIConsumer/acme: its type cannot be changed: if nothing else uses it, make it anew, ${ASK} && kubectl -n shop delete secret s && ${CREATE} && ${offer('APIConsumer/other,APIConsumer/acme')}`,
        );
    });

    it('writes no list of readers out that is too long to copy', () => {
      const many = Array.from({ length: 200 }, (_, i) => `APIConsumer/c${i}`).join(',');
      assert.match(
        said(secretOf({ data: { k: '' } }, many)),
        / postern\.dev\/used-by=ALL_THAT_IT_LISTS,APIConsumer\/acme$/,
      );
    });
  });

  it('says of a file what to write into it', () => {
    const wanted =
      'of type postern.dev/credential with the data key "k" and the annotation postern.dev/used-by: APIConsumer/acme';
    assert.equal(read('absent'), `SecretNotFound: There is no Secret "s" in this namespace: add one ${wanted}`);
    assert.equal(
      read(secretOf({ type: undefined })),
      `SecretNotOffered: The Secret "s" is of type "Opaque", not postern.dev/credential: make it one ${wanted}`,
    );
  });

  it('says in whole commands how to let the agent read a Secret', () => {
    const said = (reader?: SecretReader): string => {
      const found = secretLookup(() => 'forbidden', reader)({ name: 's', key: 'k' }, 'acme');
      return 'reason' in found ? `${found.reason}: ${found.message}` : '';
    };
    assert.equal(
      said({ namespace: 'shop', account: { namespace: 'infra', name: 'gate' } }),
      'SecretsNotReadable: The agent may not read the Secret "s"; that it may counts within half a minute: kubectl -n shop create role gate-reads-s --verb=get,list,watch --resource=secrets --resource-name=s && kubectl -n shop create rolebinding gate-reads-s --role=gate-reads-s --serviceaccount=infra:gate',
    );
    assert.match(
      said({ namespace: 'shop', account: undefined }),
      /rolebinding postern-reads-s --role=postern-reads-s --serviceaccount=AGENT_NAMESPACE:AGENT_SERVICE_ACCOUNT$/,
    );
  });
});
