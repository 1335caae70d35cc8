import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../components/free-port.ts';

/** What is scraped, with labels of its own besides the job. */
export interface ScrapeJob {
  readonly job: string;
  readonly target: string;
  readonly namespace?: string;
}

/** A real Prometheus that scrapes every 200 ms and keeps exemplars. */
export interface Prometheus {
  /** Asks its HTTP API, as `/api/v1/query?query=up`, until `wanted` takes the data; throws after 20 s. */
  ask<T>(path: string, wanted: (data: T) => boolean, patienceMs?: number): Promise<T>;
  stop(): Promise<void>;
}

const PATIENCE_MS = 20_000;

export async function startPrometheus(binary: string, scraped: readonly ScrapeJob[]): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
  const config = join(folder, 'prometheus.yml');
  const jobs = scraped.map(({ job, target, ...labels }) => ({
    job_name: job,
    static_configs: [{ targets: [target], labels }],
  }));
  const global = { scrape_interval: '200ms', scrape_timeout: '200ms' };
  writeFileSync(
    config,
    JSON.stringify({ global, storage: { exemplars: { max_exemplars: 1000 } }, scrape_configs: jobs }),
  );
  const port = await freePort();
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${folder}`, `--web.listen-address=127.0.0.1:${port}`];
  const child = spawn(binary, [...args, '--enable-feature=exemplar-storage', '--log.level=warn'], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  return {
    ask: (path, wanted, patienceMs) => ask(`${url}${path}`, wanted, patienceMs),
    stop: () => stop(child, folder),
  };
}

async function ask<T>(url: string, wanted: (data: T) => boolean, patienceMs = PATIENCE_MS): Promise<T> {
  const endMs = performance.now() + patienceMs;
  let last: unknown;
  while (performance.now() < endMs) {
    const answer = await fetch(url).catch((error: unknown) => {
      last = error;
    });
    if (answer?.ok === true) {
      const { data } = (await answer.json()) as { data: T };
      if (wanted(data)) return data;
      last = data;
    }
    await delay(100);
  }
  throw new Error(`Prometheus did not answer "${url}" as wanted: ${JSON.stringify(last)}`, { cause: last });
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  const hasEnded = child.exitCode !== null || child.signalCode !== null;
  child.kill('SIGTERM');
  if (!hasEnded) await once(child, 'exit');
  rmSync(folder, { recursive: true, force: true });
}
