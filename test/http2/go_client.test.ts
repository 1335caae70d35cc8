import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { requireComponent, run } from '../components/cache.ts';
import { obtainGoProgram } from '../components/go-program.ts';
import { closeAll, startDoor } from '../door/door-client.ts';

after(closeAll);

const CLIENT = {
  name: 'go-client',
  title: 'a client by grpc-go',
  source: join(import.meta.dirname, 'go-client'),
} as const;

describe('the native gRPC door', () => {
  it('is understood by grpc-go', { timeout: 900_000 }, async (test) => {
    const client = requireComponent(await obtainGoProgram(CLIENT), test);
    if (client === undefined) return;
    const door = await startDoor(
      {
        maxReceiveBytes: 2 * 1024 * 1024,
        check: (bytes) => (bytes.length === 1 ? new Promise(() => undefined) : bytes),
      },
      'native',
    );
    door.setServing(true);
    const { stdout } = await run(client, [door.address]);
    assert.deepEqual(JSON.parse(stdout), {
      small: 'same',
      large: 'same',
      'too large': 'ResourceExhausted',
      unknown: 'Unimplemented',
      late: 'DeadlineExceeded',
      many: { same: 500 },
      health: 'SERVING <nil>',
      watch: 'SERVING <nil>',
      list: '2 <nil>',
    });
    await door.drain(1000);
  });
});
