// What an agent with the native gRPC door says of peers that it ends, and where it has what else gRPC serves.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { startTestAgent, type TestAgent } from '../envoy/harness.ts';
import { issue } from './certificates.ts';
import { checkOver, closeClients, OPEN_POLICY } from './client.ts';
import { TRANSPORTS } from './door-client.ts';
import { checkFrames, frame, H2Client } from './h2-client.ts';

const folder = mkdtempSync(join(tmpdir(), 'native-agent-'));
after(() => {
  closeClients();
  rmSync(folder, { recursive: true, force: true });
});

const startNative = (flags: Readonly<Record<string, string>> = {}): Promise<TestAgent> =>
  startTestAgent(OPEN_POLICY, { transport: 'native', ...flags });
const portOf = ({ grpcAddress }: TestAgent): number => Number(grpcAddress.slice(grpcAddress.lastIndexOf(':') + 1));

/** Says something on a connection of its own, until that is ended. */
async function say(port: number, bytes: Uint8Array): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  socket.write(bytes);
  await new Promise((resolve) => socket.on('close', resolve));
}

const warnings = ({ lines }: TestAgent): readonly unknown[] =>
  lines.filter(({ level }) => level === 'warn').map(({ message }) => message);

async function seriesOf({ adminAddress }: TestAgent, series: string): Promise<string | undefined> {
  const port = adminAddress.kind === 'tcp' ? adminAddress.port : 0;
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return text
    .split('\n')
    .find((line) => line.startsWith(`${series} `))
    ?.slice(series.length + 1);
}

describe('an agent with the native door', () => {
  it('decides as one with grpc-js', async () => {
    const agent = await startNative();
    await agent.ready;
    const ask = async (host: string): Promise<number> => (await checkOver(agent.grpcAddress, { host })).http;
    assert.deepEqual([await ask('open.example.org'), await ask('other.example.org')], [200, 404]);
    closeClients();
    await agent.stop();
  });

  for (const [protocol, bytes, line] of [
    [
      'HTTP/1',
      Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
      'A peer of the gRPC door speaks HTTP/1: the cluster that Envoy asks needs http2_protocol_options',
    ],
    [
      'TLS',
      Buffer.from('16030100c8010000c40303', 'hex'),
      'A peer of the gRPC door speaks TLS, and there is none here: give --tls-cert and --tls-key, or take the transport_socket from the cluster that Envoy asks',
    ],
    [
      'another protocol',
      Buffer.from('*1\r\n$4\r\nPING\r\n'),
      'A peer of the gRPC door speaks another protocol than HTTP/2: only Envoy should reach this port',
    ],
  ] as const) {
    it(`says in one line, and no more, that a peer speaks ${protocol}`, async () => {
      const agent = await startNative();
      for (let i = 0; i < 3; i += 1) await say(portOf(agent), bytes);
      assert.deepEqual(warnings(agent), [line]);
      assert.equal(await seriesOf(agent, 'postern_grpc_connections_ended_total{bound="foreign"}'), '3');
      await agent.stop();
    });
  }

  for (const transport of TRANSPORTS)
    it(`says who speaks no TLS where there is some, by ${transport}`, async () => {
      const own = issue({ name: 'door' });
      const files = { 'tls-cert': join(folder, 'tls.crt'), 'tls-key': join(folder, 'tls.key') };
      writeFileSync(files['tls-cert'], own.certificate);
      writeFileSync(files['tls-key'], own.privateKey);
      const agent = await startNative({ ...files, transport });
      await say(portOf(agent), Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
      await say(portOf(agent), Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
      assert.deepEqual(warnings(agent), [
        'A peer of the gRPC door speaks no TLS, which there is here: the cluster that Envoy asks needs a transport_socket',
      ]);
      await agent.stop();
    });

  it('counts and says which bound a peer went beyond', async () => {
    const agent = await startNative({ 'grpc-max-frame-rate': '10', 'grpc-max-streams': '1' });
    const raw = await H2Client.connect(portOf(agent));
    await raw.settings();
    for (const id of [1, 3]) raw.send(checkFrames(id, Buffer.alloc(0)).subarray(0, -14));
    assert.equal((await raw.ofType('RST_STREAM'))?.stream, 3);
    for (let i = 0; i < 20; i += 1) raw.send(frame('PING', 0, 0, Buffer.alloc(8)));
    await raw.closed();
    assert.deepEqual(warnings(agent), ['The gRPC door refused a call', 'A connection of the gRPC door was ended']);
    const ended = agent.lines.find(({ bound }) => bound === 'frame_rate');
    assert.deepEqual(
      [ended?.why, ended?.option, ended?.['source.address']],
      ['More than 10 frames a second that carry no call', '--grpc-max-frame-rate', '127.0.0.1'],
    );
    assert.equal(agent.lines.find(({ bound }) => bound === 'streams')?.option, '--grpc-max-streams');
    assert.equal(await seriesOf(agent, 'postern_grpc_connections_ended_total{bound="frame_rate"}'), '1');
    assert.equal(await seriesOf(agent, 'postern_grpc_calls_refused_total{bound="streams"}'), '1');
    await agent.stop();
  });
});
