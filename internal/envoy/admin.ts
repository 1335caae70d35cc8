import { request } from 'undici';

interface Stat {
  readonly name?: string;
  readonly value?: number;
}

interface ListenerStatus {
  readonly name: string;
  readonly local_address?: { readonly socket_address?: { readonly port_value?: number } };
}

/** Envoy's admin page on loopback. */
export class EnvoyAdmin {
  readonly port: number;

  constructor(port: number) {
    this.port = port;
  }

  /** Whether it serves; an admin page that does not answer is no error. */
  async isLive(): Promise<boolean> {
    try {
      const { body } = await request(this.#url('/ready'));
      return (await body.text()).trim() === 'LIVE';
    } catch {
      return false;
    }
  }

  /** Counters and gauges by name, of all names that begin with `prefix`. */
  async stats(prefix: string): Promise<Readonly<Record<string, number>>> {
    const filter = encodeURIComponent(`^${prefix.replaceAll(/[^\w]/g, String.raw`\$&`)}`);
    const { stats } = await this.#json<{ stats: readonly Stat[] }>(`/stats?format=json&filter=${filter}`);
    const numbers = stats.flatMap(({ name, value }): [string, number][] =>
      name === undefined || value === undefined ? [] : [[name, value]],
    );
    return Object.fromEntries(numbers);
  }

  configDump(): Promise<unknown> {
    return this.#json('/config_dump');
  }

  async listenerPort(name: string): Promise<number> {
    const { listener_statuses: statuses = [] } = await this.#json<{ listener_statuses?: readonly ListenerStatus[] }>(
      '/listeners?format=json',
    );
    const port = statuses.find((status) => status.name === name)?.local_address?.socket_address?.port_value;
    if (port === undefined) throw new Error(`Envoy has no listener "${name}"`);
    return port;
  }

  #url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  async #json<T>(path: string): Promise<T> {
    const { statusCode, body } = await request(this.#url(path));
    if (statusCode !== 200) throw new Error(`Envoy's admin page answered ${statusCode}: ${await body.text()}`);
    return (await body.json()) as T;
  }
}
