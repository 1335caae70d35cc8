import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { KubeConfig } from '@kubernetes/client-node';

/** A request that arrived, and how it is answered. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
  /** Resolves when whoever asked has gone. */
  readonly gone: Promise<unknown>;
  json(body: unknown, status?: number, headers?: Readonly<Record<string, string>>): void;
  /** Breaks the connection off without an answer. */
  cut(): void;
  /** Begins a watch. */
  stream(): Stream;
}

/** The events of a watch. */
export interface Stream {
  send(type: string, object: unknown): void;
  raw(text: string): void;
  end(): void;
  cut(): void;
}

/** An answer that refuses. */
export const aStatus = (code: number, message = `told ${code}`): object => ({
  kind: 'Status',
  status: 'Failure',
  code,
  message,
});

/** Longer than anything takes here: a test that waits in vain fails with what it waited for. */
const GIVE_UP_MS = 10_000;

/** An API server on loopback that does what a test says, request by request. */
export class ScriptedApi {
  readonly url: string;
  readonly config: KubeConfig;
  readonly #server: Server;
  readonly #arrived: Asked[] = [];
  #answer: ((asked: Asked) => void) | undefined = undefined;
  readonly #arrival = new EventTarget();

  private constructor(server: Server) {
    this.#server = server;
    const address = server.address();
    this.url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    this.config = new KubeConfig();
    this.config.loadFromClusterAndUser({ name: 'c', server: this.url, skipTLSVerify: true }, { name: 'u' });
    server.on('request', (request, response) => void this.#take(request, response));
  }

  static async start(): Promise<ScriptedApi> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ScriptedApi(server);
  }

  /** The next request, or the next one to a path that ends so; the others keep waiting. */
  async next(end = ''): Promise<Asked> {
    const deadline = AbortSignal.timeout(GIVE_UP_MS);
    for (;;) {
      const index = this.#arrived.findIndex(({ path }) => path.endsWith(end));
      const [found] = index === -1 ? [] : this.#arrived.splice(index, 1);
      if (found !== undefined) return found;
      if (deadline.aborted) throw new Error(`Nobody asked for "${end}"`);
      await either(this.#arrival, deadline);
    }
  }

  /** Requests that no test has taken yet. */
  get waiting(): readonly string[] {
    return this.#arrived.map(({ method, path }) => `${method} ${path}`);
  }

  /** From now on every request is answered so, those that wait too. */
  serve(answer: (asked: Asked) => void): void {
    this.#answer = answer;
    for (const asked of this.#arrived.splice(0)) answer(asked);
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const piece of request.setEncoding('utf8')) text += piece as string;
    const { pathname, searchParams } = new URL(request.url ?? '', this.url);
    const asked: Asked = {
      method: request.method ?? '',
      path: pathname,
      query: Object.fromEntries(searchParams),
      headers: request.headers,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
      gone: once(response, 'close'),
      json: (body, status = 200, headers = {}) =>
        void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body)),
      cut: () => void response.destroy(),
      stream: () => streamOver(response),
    };
    if (this.#answer !== undefined) return this.#answer(asked);
    this.#arrived.push(asked);
    this.#arrival.dispatchEvent(new Event('came'));
  }
}

/** Until something came, or it is too late. */
function either(source: EventTarget, deadline: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    source.addEventListener('came', () => resolve(), { once: true });
    deadline.addEventListener('abort', () => resolve(), { once: true });
  });
}

function streamOver(response: ServerResponse): Stream {
  response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
  return {
    send: (type, object) => void response.write(`${JSON.stringify({ type, object })}\n`),
    raw: (text) => void response.write(text),
    end: () => void response.end(),
    cut: () => void response.destroy(),
  };
}

/** What happened, in its order, for a test to wait for. */
export class Told {
  readonly #lines: string[] = [];
  readonly #line = new EventTarget();

  add(line: string): void {
    this.#lines.push(line);
    this.#line.dispatchEvent(new Event('came'));
  }

  /** The next `count` lines. */
  async next(count = 1): Promise<readonly string[]> {
    const deadline = AbortSignal.timeout(GIVE_UP_MS);
    while (this.#lines.length < count) {
      if (deadline.aborted) throw new Error(`Only this was told: ${this.#lines.join(', ')}`);
      await either(this.#line, deadline);
    }
    return this.#lines.splice(0, count);
  }

  /** What was told and not taken. */
  get rest(): readonly string[] {
    return this.#lines;
  }
}

/** Lets everything that is already under way in this process come to its end. */
export async function settled(turns = 5): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
