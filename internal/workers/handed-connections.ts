import type { Server, Socket } from 'node:net';
import type { ListenAddress } from '../core/listen-address.ts';
import type { ListenTarget } from '../listen/listen.ts';

/** Servers that listen on nothing: the main process does, and hands over the connections of each. */
export class HandedConnections {
  readonly #servers = new Map<string, Server>();
  readonly #counts = new Map<Server, number>();
  #closed = 0;

  /** Connections that were given and are no more. */
  get closed(): number {
    return this.#closed;
  }

  /** In the place of `listenOn`: from now on the server takes what is handed over for its flag. */
  readonly listen = (server: Server, { address, flag }: ListenTarget): Promise<ListenAddress> => {
    this.#servers.set(flag, server);
    // What an HTTP server does when it listens: from then on it looks for requests that do not come.
    server.emit('listening');
    return Promise.resolve(address);
  };

  take(flag: string, connection: Socket | undefined): void {
    const server = this.#servers.get(flag);
    const count = server === undefined ? 0 : (this.#counts.get(server) ?? 0);
    // Without a connection: it was closed on its way here.
    if (connection === undefined || server === undefined || count >= (server.maxConnections || Infinity)) {
      this.#closed += 1;
      return void connection?.destroy();
    }
    this.#count(server, 1);
    connection.once('close', () => {
      this.#count(server, -1);
      this.#closed += 1;
    });
    connection.setNoDelay(true);
    server.emit('connection', connection);
  }

  #count(server: Server, by: number): void {
    this.#counts.set(server, (this.#counts.get(server) ?? 0) + by);
  }
}
