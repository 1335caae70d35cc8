import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { startEchoUpstream } from '../../internal/envoy/echo-upstream.ts';
import { requireComponent } from './cache.ts';
import { type DebianProgram, obtainDebian } from './debian.ts';

const run = promisify(execFile);
const LOADS: Readonly<Record<Exclude<DebianProgram, 'nginx' | 'nghttp'>, (url: string) => readonly string[]>> = {
  h2load: (url) => ['--h1', '-n', '10', '-c', '1', url],
  wrk: (url) => ['-t1', '-c1', '-d1s', url],
};

describe('a program out of a Debian package', () => {
  for (const [name, argumentsFor] of Object.entries(LOADS) as [keyof typeof LOADS, (url: string) => string[]][]) {
    it(`runs with its libraries: ${name}`, async (t) => {
      const path = requireComponent(await obtainDebian(name), t);
      if (path === undefined) return;
      const upstream = await startEchoUpstream();
      t.after(() => upstream.close());
      await run(path, argumentsFor(`http://127.0.0.1:${upstream.port}/`));
      assert.ok(upstream.count() >= 10, `${upstream.count()} requests`);
    });
  }

  it('runs with its libraries: nginx', async (t) => {
    const path = requireComponent(await obtainDebian('nginx'), t);
    if (path === undefined) return;
    assert.match((await run(path, ['-V'])).stderr, /--with-http_auth_request_module/);
  });
});
