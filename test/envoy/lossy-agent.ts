import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';

/** Stands between Envoy and an agent and loses answers: the agent has decided by then, and Envoy asks again. */
export interface LossyAgent {
  readonly port: number;
  /** Loses the answers of so many of the next checks. */
  lose(count: number): void;
  /** Checks that came, lost ones included. */
  readonly checks: () => number;
  stop(): Promise<void>;
}

const UNAVAILABLE = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '14' };

export async function startLossyAgent(agentPort: number): Promise<LossyAgent> {
  const agent = connect(`http://127.0.0.1:${agentPort}`);
  await once(agent, 'connect');
  let toLose = 0;
  let checks = 0;
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', async (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    checks += 1;
    const answer = await ask(agent, headers, await bytesOf(stream));
    if (toLose > 0) {
      toLose -= 1;
      stream.respond(UNAVAILABLE, { endStream: true });
      return;
    }
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(answer);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    checks: () => checks,
    lose(count) {
      toLose = count;
    },
    async stop() {
      agent.destroy();
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function ask(agent: ClientHttp2Session, headers: IncomingHttpHeaders, body: Buffer): Promise<Buffer> {
  const path = String(headers[':path']);
  const stream = agent.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.end(body);
  return bytesOf(stream);
}

async function bytesOf(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
