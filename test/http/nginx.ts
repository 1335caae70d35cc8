import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningChild, startChild } from '../../internal/envoy/child.ts';
import type { Obtained } from '../components/cache.ts';
import { obtainDebian } from '../components/debian.ts';
import { until } from '../components/until.ts';
import { send } from '../envoy/harness.ts';

export const nginxBinary = (): Promise<Obtained> => obtainDebian('nginx');

export interface RunningNginx {
  readonly port: number;
  readonly said: () => string;
  stop(): Promise<void>;
}

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${kind};`);

/**
 * Starts a real nginx with a whole configuration and waits until it serves.
 *
 * @param config listens on `port`; where files go is added to it
 */
export async function startNginx(path: string, config: string, port: number): Promise<RunningNginx> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-nginx-'));
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, config.replace('http {', `http {\n access_log off; ${TEMPORARY.join(' ')}`));
  const directives = 'daemon off; master_process off; pid nginx.pid;';
  const child: RunningChild = startChild(path, ['-p', `${folder}/`, '-c', file, '-e', 'stderr', '-g', directives]);
  const isServing = (): Promise<boolean> =>
    send(port, '/', ['Host: nobody.invalid']).then(
      () => true,
      () => {
        if (child.hasExited()) throw new Error(`nginx has ended: ${child.said()}`);
        return false;
      },
    );
  await until(isServing);
  return {
    port,
    said: child.said,
    async stop() {
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
