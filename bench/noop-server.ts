// The floor: the same transport, bytes in, bytes out, and nothing between.
import { Server, ServerCredentials } from '@grpc/grpc-js';

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
const answer = Buffer.from([0x0a, 0x00]);
server.addService(
  { Check: method },
  { Check: (_call: unknown, callback: (error: null, bytes: Buffer) => void) => callback(null, answer) },
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, port) =>
  process.stdout.write(`${JSON.stringify({ port })}\n`),
);
