// The floor: the same transport, bytes in, bytes out, and nothing between. `native`: on the native door, else on grpc-js.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { systemClock } from '../internal/core/clock.ts';
import { startNativeDoor } from '../internal/extauthz/native-door.ts';

const answer = Buffer.from([0x0a, 0x00]);
const say = (port: number): void => void process.stdout.write(`${JSON.stringify({ port })}\n`);

if (process.argv[2] === 'native') {
  const door = await startNativeDoor({
    address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
    tls: undefined,
    check: () => answer,
    clock: systemClock,
    maxReceiveBytes: 2 * 1024 * 1024,
    maxConnectionAgeMs: 3_600_000,
  });
  say(Number(door.address.slice(door.address.lastIndexOf(':') + 1)));
} else serveByGrpcJs();

function serveByGrpcJs(): void {
  const same = (bytes: Buffer): Buffer => bytes;
  const server = new Server({ 'grpc.enable_channelz': 0, 'grpc.max_concurrent_streams': 1024 });
  const path = '/envoy.service.auth.v3.Authorization/Check';
  const method = {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  } as const;
  server.addService(
    { Check: method },
    { Check: (_call: unknown, callback: (error: null, bytes: Buffer) => void) => callback(null, answer) },
  );
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, port) => say(port));
}
