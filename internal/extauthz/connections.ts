// Connections of the gRPC server, and how they end without losing a check that is on its way.
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type ConnectionInjector, type Server, ServerCredentials } from '@grpc/grpc-js';
import { type AgeOptions, OpenConnections, type Retiring } from '../listen/open-connections.ts';

/**
 * A GOAWAY that names the highest stream there can be (RFC 9113 §6.8): the peer opens no more streams here, but all that
 * it has opened are served. The GOAWAY that Node and grpc-js send names the last stream they have seen, so that those on
 * their way are lost; and Envoy takes a lost check for an error, which its failure mode may let pass.
 *
 * It is written beside Node's HTTP/2, which hands whole frames to the socket. With TLS that cannot be done: two writers
 * would meet inside Node's TLS. There, checks on their way are refused as never processed, and Envoy may retry them.
 */
const NOTICE = Uint8Array.of(0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0);
/** Longer than a round trip: by then nothing is on its way any more. */
const NOTICE_MS = 1000;

export class GrpcConnections extends OpenConnections<Connection> {
  readonly #server: Server;

  constructor(server: Server, age: AgeOptions) {
    super(age);
    this.#server = server;
  }

  /** Gives a connection, decrypted where it has to be, to the server. */
  accept(socket: Socket): void {
    // One injector a connection: it is what ends a connection by itself.
    const injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    const connection = new Connection(socket, injector);
    socket.on('close', () => connection.dispose());
    this.add(socket, connection);
    injector.injectConnection(socket);
  }

  /** Ends all that is left, and the server. */
  stop(): void {
    this.#server.forceShutdown();
  }
}

class Connection implements Retiring {
  readonly #socket: Socket;
  readonly #injector: ConnectionInjector;
  /** For the end of its age, then for the end of the notice. */
  #timer: NodeJS.Timeout | undefined = undefined;
  #isRetired = false;

  constructor(socket: Socket, injector: ConnectionInjector) {
    this.#socket = socket;
    this.#injector = injector;
  }

  retireIn(ageMs: number, graceMs: number): void {
    this.#timer = setTimeout(() => this.retire(graceMs), ageMs);
    this.#timer.unref();
  }

  /** Gives notice, and a little later the final GOAWAY; cuts the connection off after `graceMs`. */
  retire(graceMs: number): void {
    if (this.#isRetired) return;
    this.#isRetired = true;
    clearTimeout(this.#timer);
    if (this.#socket instanceof TLSSocket) {
      this.#injector.drain(graceMs);
      return;
    }
    const noticeMs = Math.min(NOTICE_MS, graceMs / 2);
    this.#socket.write(NOTICE);
    this.#timer = setTimeout(() => this.#injector.drain(graceMs - noticeMs), noticeMs);
    this.#timer.unref();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#injector.destroy();
  }
}
