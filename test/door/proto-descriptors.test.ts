import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader';
import { requireComponent } from '../components/cache.ts';
import { type Described, describeProtos, obtainXdsProtos } from './published-descriptors.ts';

const definition = loadSync('envoy/service/auth/v3/external_auth.proto', {
  includeDirs: [resolve(import.meta.dirname, '../../proto')],
  keepCase: true,
});
const service = definition['envoy.service.auth.v3.Authorization'] as ServiceDefinition;

/** Every file that the service needs; the loader repeats them for each message. */
function ownFiles(): readonly Uint8Array[] {
  const { Check } = service;
  return Check === undefined ? [] : Check.requestType.fileDescriptorProtos;
}

/** What of ours is published otherwise, or not at all. */
function differences(ours: Described, published: Described): readonly string[] {
  const found: string[] = [];
  for (const kind of ['messages', 'enums', 'methods'] as const) {
    for (const [name, members] of Object.entries(ours[kind])) {
      if (name.startsWith('google.protobuf.')) continue;
      const theirs: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(published[kind][name] ?? {}));
      for (const [member, shape] of Object.entries(members)) {
        if (JSON.stringify(theirs[member]) === JSON.stringify(shape)) continue;
        found.push(`${name}.${member}: ours ${JSON.stringify(shape)}, published ${JSON.stringify(theirs[member])}`);
      }
    }
  }
  return found;
}

describe('proto/', () => {
  it('says what Envoy publishes: every number, type, label, oneof and method', { timeout: 300_000 }, async (t) => {
    const python = requireComponent(await obtainXdsProtos(), t);
    if (python === undefined) return;
    const { ours, published } = await describeProtos(python, ownFiles());
    assert.deepEqual(differences(ours, published), []);
    const seen = Object.keys(ours.messages).filter((name) => !name.startsWith('google.protobuf.'));
    for (const name of [
      'service.auth.v3.CheckRequest',
      'service.auth.v3.CheckResponse',
      'config.core.v3.HeaderValueOption',
    ]) {
      assert.ok(seen.includes(`envoy.${name}`), `${name} was compared`);
    }
    assert.deepEqual(Object.keys(ours.methods), ['envoy.service.auth.v3.Authorization.Check']);
    // The comparison itself can fail.
    const wrong = structuredClone(ours) as unknown as { messages: Record<string, Record<string, unknown[]>> };
    Object.assign(wrong.messages['envoy.service.auth.v3.CheckResponse'] ?? {}, {
      status: [2, 'TYPE_STRING', 'optional', '', null],
    });
    assert.equal(differences(wrong as unknown as Described, published).length, 1);
  });
});
