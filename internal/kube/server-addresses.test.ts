import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FRESH_MS, RETRY_MS, ServerAddresses } from './server-addresses.ts';

const ADDRESSES = ['10.0.0.1', '10.0.0.2', '2001:db8::1'];

/** The API server of `server`, whose name stands for what a test says: `undefined` is a failure of DNS. */
function world(server = 'https://kube.example.org:6443', ...answers: readonly (readonly string[] | undefined)[]) {
  const time = { ms: 0 };
  const asked: string[] = [];
  const addresses = new ServerAddresses({
    server,
    clock: { wallMs: () => 0, monotonicMs: () => time.ms },
    async lookup(host) {
      const answer = answers[asked.push(host) - 1];
      if (answer === undefined) throw new Error('EAI_AGAIN');
      return answer.map((address) => ({ address }));
    },
  });
  /** Which of the addresses are forbidden now. */
  const forbidden = (): readonly string[] | undefined =>
    addresses.known && ADDRESSES.filter((ip) => addresses.known?.check(ip, ip.includes(':') ? 'ipv6' : 'ipv4'));
  return { addresses, asked, time, forbidden };
}

describe('ServerAddresses', () => {
  it('forbids the API server though DNS failed when the agent started', async () => {
    const { addresses, asked, time, forbidden } = world(undefined, undefined, [], ['10.0.0.1', '2001:db8::1']);
    const seen: unknown[] = [];
    for (let tries = 0; tries < 3; tries += 1) {
      await addresses.refresh();
      seen.push(forbidden());
      time.ms += RETRY_MS;
    }
    assert.deepEqual(seen, [undefined, undefined, ['10.0.0.1', '2001:db8::1']]);
    assert.deepEqual(asked, Array(3).fill('kube.example.org'));
  });

  it('follows a server that moves, and keeps what it knew while DNS fails', async () => {
    const { addresses, time, forbidden } = world(undefined, ['10.0.0.1'], undefined, ['10.0.0.2']);
    const seen: unknown[] = [];
    for (const waitMs of [FRESH_MS, RETRY_MS, 0]) {
      await addresses.refresh();
      seen.push(forbidden());
      time.ms += waitMs;
    }
    assert.deepEqual(seen, [['10.0.0.1'], ['10.0.0.1'], ['10.0.0.2']]);
  });

  it('asks once for all who are about to connect, and not again within a moment', async () => {
    const { addresses, asked, time } = world(undefined, ['10.0.0.1'], undefined);
    await Promise.all([addresses.refresh(), addresses.refresh()]);
    time.ms += FRESH_MS - 1;
    await addresses.refresh();
    assert.equal(asked.length, 1);
    time.ms += 1;
    await addresses.refresh();
    await addresses.refresh();
    assert.equal(asked.length, 2);
  });

  it('knows an address that the configuration writes, and asks nobody', async () => {
    for (const [server, address] of [
      ['https://10.0.0.1', '10.0.0.1'],
      ['https://[2001:db8::1]:6443', '2001:db8::1'],
    ] as const) {
      const { addresses, asked, forbidden } = world(server);
      await addresses.refresh();
      assert.deepEqual([forbidden(), asked], [[address], []]);
    }
  });
});
