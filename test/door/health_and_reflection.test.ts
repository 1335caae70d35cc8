import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type ClientReadableStream, status } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import { service } from 'grpc-health-check';
import { AUTHORIZATION } from '../../internal/extauthz/grpc-door.ts';
import { MAX_WATCHES } from '../../internal/extauthz/health-service.ts';
import { closeAll, DoorClient, startDoor } from './door-client.ts';

after(closeAll);

/** The package brings a loader of its own, whose types are others by name only. */
const HEALTH = service as unknown as ServiceDefinition;

type Health = { readonly status: string };
const method = (service: ServiceDefinition, name: string) =>
  service[name] as unknown as MethodDefinition<object, object>;
const healthOf = (bytes: Buffer): Health => method(HEALTH, 'Check').responseDeserialize(bytes) as Health;
const about = (service: string): Buffer => method(HEALTH, 'Check').requestSerialize({ service });

const CHECK = { path: '/grpc.health.v1.Health/Check' };
const WATCH = '/grpc.health.v1.Health/Watch';

/** What a Watch says, one after the other; `ended` when it ends. */
async function* watched(stream: ClientReadableStream<Buffer>): AsyncGenerator<string> {
  for await (const bytes of stream) yield healthOf(bytes as Buffer).status;
  yield 'ended';
}

describe('the health of the gRPC door', () => {
  for (const service of ['', AUTHORIZATION]) {
    it(`is NOT_SERVING until it is told otherwise, for "${service}"`, async () => {
      const door = await startDoor();
      const client = new DoorClient(door.address);
      const ask = async () => healthOf(await client.send(about(service), {}, CHECK).answer).status;
      assert.equal(await ask(), 'NOT_SERVING');
      door.setServing(true);
      assert.equal(await ask(), 'SERVING');
      door.setServing(false);
      assert.equal(await ask(), 'NOT_SERVING');
      client.close();
      await door.drain(1000);
    });

    it(`is told to whoever watches "${service}", until the door drains`, async () => {
      const door = await startDoor();
      const client = new DoorClient(door.address);
      const said = watched(client.stream(WATCH, about(service)));
      const next = async () => (await said.next()).value;
      assert.equal(await next(), 'NOT_SERVING');
      door.setServing(true);
      assert.equal(await next(), 'SERVING');
      const drained = door.drain(60_000);
      assert.equal(await next(), 'NOT_SERVING');
      assert.equal(await next(), 'ended');
      // Nothing makes it serve again.
      door.setServing(true);
      client.close();
      await drained;
    });
  }

  it('is unknown of other services', async () => {
    const door = await startDoor();
    const client = new DoorClient(door.address);
    await assert.rejects(client.send(about('shop.Orders'), {}, CHECK).answer, { code: status.NOT_FOUND });
    client.close();
    await door.drain(1000);
  });

  it(`is watched by ${MAX_WATCHES} at most, however many come and go`, async () => {
    const door = await startDoor();
    const client = new DoorClient(door.address);
    const streams = Array.from({ length: MAX_WATCHES }, () => client.stream(WATCH, about('')));
    for (const stream of streams) stream.on('error', () => undefined);
    const firsts = streams.map((stream) => watched(stream).next());
    assert.deepEqual(new Set((await Promise.all(firsts)).map(({ value }) => value)), new Set(['NOT_SERVING']));
    const tooMany = client.stream(WATCH, about(''));
    await assert.rejects(watched(tooMany).next(), { code: status.RESOURCE_EXHAUSTED });
    for (const stream of streams) stream.cancel();
    // The server learns of the cancelled ones before it sees what follows on the same connection.
    await client.send(about(''), {}, CHECK).answer;
    const again = client.stream(WATCH, about(''));
    assert.equal((await watched(again).next()).value, 'NOT_SERVING');
    client.close();
    await door.drain(1000);
  });
});

describe('the reflection of the gRPC door', () => {
  const folder = join(createRequire(import.meta.url).resolve('@grpc/reflection'), '../../proto');
  const definition = loadSync('grpc/reflection/v1/reflection.proto', {
    includeDirs: [folder],
    keepCase: true,
    defaults: true,
  });
  const REFLECTION = definition['grpc.reflection.v1.ServerReflection'] as ServiceDefinition;
  const INFO = method(REFLECTION, 'ServerReflectionInfo');

  const ask = async (client: DoorClient, request: object): Promise<Record<string, unknown>> => {
    const stream = client.bidi(INFO.path, INFO.requestSerialize, INFO.responseDeserialize);
    stream.write(request);
    stream.end();
    for await (const answer of stream) return answer as Record<string, unknown>;
    return {};
  };

  it('lists the service and describes it where it is asked for', async () => {
    const door = await startDoor({ hasReflection: true });
    const client = new DoorClient(door.auxAddress ?? door.address);
    const { list_services_response: list } = await ask(client, { list_services: '' });
    assert.deepEqual(
      (list as { service: { name: string }[] }).service.map(({ name }) => name),
      [AUTHORIZATION],
    );
    const { file_descriptor_response: file } = await ask(client, { file_containing_symbol: `${AUTHORIZATION}.Check` });
    const [first] = (file as { file_descriptor_proto: Buffer[] }).file_descriptor_proto;
    assert.ok(first?.includes('CheckRequest'));
    client.close();
    await door.drain(1000);
  });

  it('is not there by default', async () => {
    const door = await startDoor();
    const client = new DoorClient(door.address);
    await assert.rejects(ask(client, { list_services: '' }), { code: status.UNIMPLEMENTED });
    client.close();
    await door.drain(1000);
  });
});
