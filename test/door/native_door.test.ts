// The contract of the gRPC door, over the door on sockets of our own: the same tests as over grpc-js.
import { useTransport } from './door-client.ts';

useTransport('native');
await import('./grpc_door.test.ts');
await import('./drain_and_age.test.ts');
await import('./health_and_reflection.test.ts');
await import('./protocol_attacks.test.ts');
await import('./tls_door.test.ts');
await import('./foreign_peers.test.ts');
