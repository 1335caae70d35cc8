import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_WORK } from '../../internal/core/meter.ts';
import { type CaseRequest, load } from '../cases/run-case.ts';

/** One policy whose only rules are these, each with its conditions. */
const policy = (rules: readonly (readonly string[])[]): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: api, namespace: shop}
spec:
  target: {hosts: [api.example.org]}
  authentication: {anonymous: {}}
  authorization:
    rules:
${rules
  .map((when, i) => `    - {name: r${i}, allow: {when: ${JSON.stringify(when.map((expression) => ({ expression })))}}}`)
  .join('\n')}
`;

const request = (given: CaseRequest): CaseRequest => ({ host: 'api.example.org', path: '/', joined: true, ...given });

interface Outcome {
  readonly reason: string;
  readonly work: number;
  readonly milliseconds: number;
}

async function outcomeOf(yaml: string, given: CaseRequest): Promise<Outcome> {
  const { build, check } = await load(yaml, { bodies: 'forwarded' });
  assert.deepEqual(
    build.reports.flatMap(({ problems }) => problems.filter(({ severity }) => severity !== 'warning')),
    [],
  );
  const before = process.cpuUsage();
  const { decision, evaluation } = await check(request(given));
  const { user, system } = process.cpuUsage(before);
  return { reason: decision.reason, work: MAX_WORK - (evaluation?.work ?? 0), milliseconds: (user + system) / 1000 };
}

describe('a check whose expressions are made to cost much', () => {
  it('does not split a header anew in each round of a macro: two headers of 55 KB took 27 seconds', async () => {
    const rule = "request.headerValues['x-groups'].exists(g, g == request.headers['x-tenant'])";
    const headers = { 'x-groups': ','.repeat(5_000), 'x-tenant': ','.repeat(50_000) };
    const { reason, work, milliseconds } = await outcomeOf(policy([[rule]]), { headers });
    assert.equal(reason, 'expression_error');
    assert.ok(work < 10_000, `${work} steps`);
    assert.ok(milliseconds < 300, `${milliseconds} ms`);
  });

  it('has one budget for all rules of the policy: each had its own, 27 seconds together', async () => {
    const explosive = "request.headers['x-t'].matches('[ab]*a[ab]{150}[cd]') || false";
    const rules = Array.from({ length: 64 }, () => Array.from({ length: 15 }, () => explosive));
    let text = '';
    for (let seed = 7; text.length < 12_000; seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff)
      text += seed & 65_536 ? 'a' : 'b';
    const { reason, milliseconds } = await outcomeOf(policy(rules), { headers: { 'x-t': text } });
    assert.equal(reason, 'expression_error');
    assert.ok(milliseconds < 300, `${milliseconds} ms`);
  });

  it('walks members of a body only as far as the budget reaches', async () => {
    const members = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, 1]));
    const body = JSON.stringify({ l: Array(5_000).fill(1), m: members, n: members });
    const rule = 'request.body.l.exists(x, request.body.m != request.body.n)';
    const { reason, milliseconds } = await outcomeOf(policy([[rule]]), { method: 'POST', body, bodyMark: 'false' });
    assert.equal(reason, 'expression_error');
    assert.ok(milliseconds < 400, `${milliseconds} ms`);
  });

  it('lets pass what a policy of 1,024 usual conditions asks', async () => {
    const usual = "request.headers['x-t'].startsWith('ab') || 'x' in identity.groups";
    const rules = Array.from({ length: 64 }, (_, i) => [
      ...Array.from({ length: 15 }, () => usual),
      i === 63 ? 'true' : 'false',
    ]);
    const { reason, work } = await outcomeOf(policy(rules), { headers: { 'x-t': 'abc' } });
    assert.equal(reason, 'allowed');
    assert.ok(work < MAX_WORK / 20, `${work} steps`);
  });
});

describe('a policy whose expressions are too much to compile in one go', () => {
  it('is refused with what to do about it', async () => {
    const long = `'${'a'.repeat(2_000)}' != request.method`;
    const { build } = await load(policy(Array.from({ length: 64 }, () => [long])));
    assert.deepEqual(
      build.reports.flatMap(({ problems }) => problems),
      [
        {
          reason: 'Invalid',
          path: 'spec',
          message:
            'The expressions of the policy have 129280 characters together, at most 65536 are allowed: shorten them, or split the policy by paths',
          severity: 'error',
        },
      ],
    );
  });
});
