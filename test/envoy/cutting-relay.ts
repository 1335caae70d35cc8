import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Stands between Envoy and an agent and passes bytes on, until it cuts what is connected. */
export interface CuttingRelay {
  readonly port: number;
  /** Ends every connection there is, in the middle of whatever it carries. @returns how many */
  cut(): number;
  stop(): Promise<void>;
}

export async function startCuttingRelay(agentPort: number): Promise<CuttingRelay> {
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    const agent = connect({ port: agentPort, host: '127.0.0.1', noDelay: true });
    const end = (): void => {
      open.delete(socket);
      socket.destroy();
      agent.destroy();
    };
    open.add(socket);
    for (const side of [socket, agent]) side.on('error', end).on('close', end);
    socket.pipe(agent);
    agent.pipe(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const cut = (): number => {
    const { size } = open;
    // Not closed but reset, as when a machine is gone.
    for (const socket of open) socket.resetAndDestroy();
    return size;
  };
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cut,
    async stop() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
