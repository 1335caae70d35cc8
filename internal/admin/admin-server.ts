import type { Clock } from '../core/clock.ts';
import type { ListenAddress } from '../core/listen-address.ts';
import { CONTENT_TYPES, formatFor } from '../telemetry/exposition.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { plain, type Route, type RunningHttpServer, startHttpServer } from './http-server.ts';
import { SharedScrape } from './shared-scrape.ts';

export interface AdminServerOptions {
  readonly address: ListenAddress;
  readonly metrics: Pick<Metrics, 'scrape'>;
  readonly clock: Clock;
  /** Why the instance should get no checks now, in few words; undefined while it should. */
  readonly notReady: () => string | undefined;
  readonly onError: (error: unknown) => void;
}

/**
 * What platforms ask, on `--admin-addr`: `/metrics`, `/healthz` and `/livez` (the process answers), `/readyz` (it serves
 * a snapshot and does not drain). Nothing else, and nothing of any request.
 */
export function startAdminServer(options: AdminServerOptions): Promise<RunningHttpServer> {
  const alive: Route = () => plain(200, 'ok');
  const ready: Route = () => {
    const reason = options.notReady();
    return reason === undefined ? plain(200, 'ok') : plain(503, reason);
  };
  const scrape = new SharedScrape(options);
  const metrics: Route = async (request) => {
    const format = formatFor(request.headers.accept);
    return { status: 200, contentType: CONTENT_TYPES[format], body: await scrape.take(format) };
  };
  return startHttpServer({
    address: options.address,
    flag: 'admin-addr',
    routes: new Map([
      ['/metrics', metrics],
      ['/healthz', alive],
      ['/livez', alive],
      ['/readyz', ready],
    ]),
    onError: options.onError,
  });
}
