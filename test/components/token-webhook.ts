import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';

/** Who an API server takes a token for. */
export interface TokenUser {
  readonly user: string;
  readonly groups: readonly string[];
}

/** What an API server asks about tokens that it does not know itself: tokens can come and go while it runs. */
export interface TokenWebhook {
  readonly url: string;
  add(user: TokenUser): string;
  remove(token: string): void;
  close(): void;
}

export async function startTokenWebhook(): Promise<TokenWebhook> {
  const users = new Map<string, TokenUser>();
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const { spec } = JSON.parse(await textOf(request)) as { spec: { token: string } };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(review(users.get(spec.token))));
    };
    answer().catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/`,
    add(user) {
      const token = randomBytes(16).toString('hex');
      users.set(token, user);
      return token;
    },
    remove: (token) => void users.delete(token),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const review = (found: TokenUser | undefined): object => ({
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenReview',
  status:
    found === undefined
      ? { authenticated: false }
      : { authenticated: true, user: { username: found.user, groups: [...found.groups] } },
});

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of request.setEncoding('utf8')) text += piece as string;
  return text;
}
