import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { PosternError } from '../internal/core/error.ts';
import { REASONS, type ReasonName } from '../internal/core/reasons.ts';
import type { CheckOptions } from '../internal/extauthz/check.ts';
import { createHttpChecks } from '../internal/extauthz/http/http-check.ts';
import { TRAEFIK } from '../internal/extauthz/http/traefik-dialect.ts';
import { decodeResponse } from '../internal/extauthz/wire.fixture.ts';
import { failing } from './attack/fault.ts';
import { type Asked, aWorld, messageOf, type Parts } from './attack/fault-world.ts';

type Finished = Parameters<CheckOptions['observer']['finish']>;

const CASES = join(import.meta.dirname, 'cases');

/** What the cases expect: `cases.test.ts` holds each of them against what was decided. */
function decidedByCases(): string[] {
  const files = readdirSync(CASES).filter((name) => name.endsWith('.yaml'));
  return files.flatMap((name) => {
    const { cases } = parse(readFileSync(join(CASES, name), 'utf8')) as {
      readonly cases: readonly { readonly expect: string | { readonly reason: string } }[];
    };
    return cases.map(({ expect }) => (typeof expect === 'string' ? expect : expect.reason));
  });
}

const DOWN = new PosternError('ERR_POSTERN_KEYS_UNAVAILABLE', 'injected');
const NO_KEYS = { current: () => undefined, fetch: () => Promise.reject(DOWN) };

/** What no request brings about by itself: something has to fail. */
const BY_FAULT: Readonly<Partial<Record<ReasonName, readonly [Asked, Parts]>>> = {
  undecided: ['key', { policy: (policy) => ({ ...policy, steps: [] }) }],
  issuer_unavailable: ['token', { keys: NO_KEYS }],
  limit_store_unavailable: ['key', { store: { take: failing('throws'), giveBack: () => undefined } }],
  deadline: ['token', { keys: { ...NO_KEYS, fetch: failing('hangs') }, checkTimeoutMs: 10 }],
  overloaded: ['token', { maxWaiting: 0 }],
  internal: ['key', { snapshot: failing('throws') }],
  stale_snapshot: ['key', { notNow: () => ({ reason: 'stale_snapshot' }) }],
  no_snapshot: ['key', { snapshot: () => undefined }],
};

describe('the reasons of the table', () => {
  for (const [reason, [asks, parts]] of Object.entries(BY_FAULT)) {
    it(`${reason} is what Envoy is told where something fails`, async () => {
      const { dynamic_metadata } = decodeResponse(await (await aWorld(parts)).ask(asks));
      assert.equal(dynamic_metadata?.fields.reason?.stringValue, reason);
    });
  }

  it('edit_unsupported is what a proxy of the HTTP door is told', async () => {
    const { options } = await aWorld();
    const told = Promise.withResolvers<string>();
    const observer = {
      ...options.observer,
      finish: (...[, , { decision }]: Finished) => told.resolve(decision.reason),
    };
    const [check] = createHttpChecks({ ...options, observer }, new Set(), [TRAEFIK]).values();
    await check?.(messageOf('key'), { deadlineMs: undefined, isCancelled: () => false, metadata: undefined });
    assert.equal(await told.promise, 'edit_unsupported');
  });

  it('are each decided by a case or by a fault', () => {
    const decided = new Set([...decidedByCases(), ...Object.keys(BY_FAULT), 'edit_unsupported']);
    assert.deepEqual([...decided].sort(), Object.keys(REASONS).sort());
  });
});
