import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SourceObject } from './object.ts';
import { PORTS } from './policy-ports.fixture.ts';
import { PolicyStore } from './store.ts';

const policy = (generation: number, host: string): SourceObject => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'APIPolicy',
  metadata: { name: 'a', namespace: 'shop', uid: 'u', generation },
  spec: {
    target: { hosts: [host] },
    authentication: { anonymous: {} },
    authorization: { rules: [{ name: 'all', allow: { any: {} } }] },
  },
});

interface Changing {
  readonly tookMs: number;
  /** The host that the policy asks for while so manieth build runs, from 1; undefined: nothing changes any more. */
  readonly hostIn: (build: number) => string | undefined;
}

/** What a store does until nothing changes: `build`, and the milliseconds of each rest. */
async function course({ tookMs, hostIn }: Changing): Promise<readonly (string | number)[]> {
  const course: (string | number)[] = [];
  let nowMs = 0;
  let builds = 0;
  const store = new PolicyStore({
    ports: PORTS,
    clusterIssuer: undefined,
    className: 'postern',
    secrets: () => () => ({ reason: 'SecretNotFound', message: '' }),
    clock: { wallMs: () => 0, monotonicMs: () => nowMs },
    // It is asked for once in each build, as that begins.
    horizon: () => {
      nowMs += tookMs;
      builds += 1;
      const host = hostIn(builds);
      if (host !== undefined) store.apply(policy(builds, host));
      return undefined;
    },
    rest: async (ms) => void course.push(ms),
    onBuild: () => course.push('build'),
    onFailure: (error) => assert.fail(String(error)),
  });
  store.complete();
  // Each time what came until then serves; then something may have come meanwhile.
  for (let build = 0; build < 2 * AT_MOST; build += 1) await store.caughtUp();
  return course;
}

const AT_MOST = 7;
const one = (build: number): string | undefined => (build < AT_MOST ? 'a.test' : undefined);
const alternating = (build: number): string | undefined => (build < AT_MOST ? `h${build % 2}.test` : undefined);

describe('PolicyStore, between builds that follow each other', () => {
  it('rests four times as long as the last one took', async () => {
    const rested = Array.from({ length: AT_MOST - 1 }, () => ['build', 400]).flat();
    assert.deepEqual(await course({ tookMs: 100, hostIn: one }), [...rested, 'build']);
  });

  it('rests for a second at most', async () => {
    const hostIn = (build: number): string | undefined => (build === 1 ? 'a.test' : undefined);
    assert.deepEqual(await course({ tookMs: 3000, hostIn }), ['build', 1000, 'build']);
  });

  it('does not rest where nothing came meanwhile', async () => {
    assert.deepEqual(await course({ tookMs: 100, hostIn: () => undefined }), ['build']);
  });

  it('gives what a policy gave up at once, and rests all the same where each build has one give up its host', async () => {
    assert.deepEqual(await course({ tookMs: 100, hostIn: alternating }), [
      'build',
      400,
      'build',
      'build',
      400,
      'build',
      'build',
      400,
      'build',
      'build',
    ]);
  });
});
