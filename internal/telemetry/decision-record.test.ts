import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Attributes, headerFields } from '../core/attributes.ts';
import { REASONS, type ReasonName } from '../core/reasons.ts';
import type { Checked } from '../policy/checked.ts';
import { aChecked, anAttributes } from './checked.fixture.ts';
import { decisionRecord } from './decision-record.ts';

const KEY = 'psk_9f8e7d6c5b4a39281706';
const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl';

const recordOf = (checked: Checked, attributes?: Attributes): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(decisionRecord(checked, { attributes, traceId: undefined, durationMs: 0.1234567 })).filter(
      ([, value]) => value !== undefined,
    ),
  );

describe('decisionRecord()', () => {
  it('names what was asked, who asked, and why it was decided so', () => {
    const attributes = anAttributes({
      host: 'Orders.Example.org:443',
      target: '/v1/orders/7?page=2&token=x',
      headers: headerFields([['x-request-id', 'a1b2']]),
    });
    const checked = aChecked('denied_by_rule', attributes, {
      refusal: { reason: 'denied_by_rule', rule: 'own-data', cause: 'claims.sub is not params.id' },
    });
    assert.deepEqual(recordOf(checked, attributes), {
      decision_id: 'decision-1',
      request_id: '4711',
      x_request_id: 'a1b2',
      method: 'GET',
      host: 'orders.example.org',
      path: '/v1/orders/7',
      query: ['page', 'token'],
      'client.address': '203.0.113.9',
      'source.address': '203.0.113.9',
      policy: 'shop/orders',
      policy_uid: 'u1',
      policy_generation: 3,
      phase: 'authz',
      rule: 'own-data',
      reason: 'denied_by_rule',
      decision: 'deny',
      cause: 'claims.sub is not params.id',
      'identity.kind': 'unauthenticated',
      status: 403,
      duration_ms: 0.123,
    });
  });

  it('has the fields that docs/log.md explains, and no others', () => {
    const attributes = anAttributes({});
    const seen = { attributes, traceId: undefined, durationMs: 0 };
    const fields = Object.keys(decisionRecord(aChecked('not_allowed', attributes), seen));
    const page = readFileSync(join(import.meta.dirname, '../../docs/log.md'), 'utf8');
    assert.deepEqual(
      [...page.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]),
      fields,
    );
  });

  it('names what the door was told where the request could not be read', () => {
    const attributes = anAttributes({ target: '/a//b;jsessionid=s3cr3t?x=1' });
    const checked: Checked = { ...aChecked('malformed_path', attributes), request: undefined, evaluation: undefined };
    const { path, host, reason, status } = recordOf(checked, attributes);
    assert.deepEqual([path, host, reason, status], ['/a//b;…', 'orders.example.org', 'malformed_path', 400]);
  });

  it('says who was identified, without claims', () => {
    const attributes = anAttributes({});
    const checked = aChecked('not_allowed', attributes);
    assert.ok(checked.evaluation !== undefined);
    checked.evaluation.identity = {
      ...checked.evaluation.identity,
      kind: 'jwt',
      issuer: 'https://sso.example.org',
      subject: 'alice',
      id: 'AAAAAAAAAAAAAAAAAAAAAA',
      method: 'sso',
      claims: { email: 'alice@example.org' },
    };
    const record = recordOf(checked, attributes);
    assert.deepEqual(
      Object.entries(record).filter(([name]) => name.startsWith('identity.')),
      [
        ['identity.kind', 'jwt'],
        ['identity.issuer', 'https://sso.example.org'],
        ['identity.subject', 'alice'],
        ['identity.id', 'AAAAAAAAAAAAAAAAAAAAAA'],
        ['identity.method', 'sso'],
      ],
    );
    assert.ok(!JSON.stringify(record).includes('alice@example.org'));
  });

  it('holds no credential that a request carries, in whatever carrier', () => {
    const attributes = anAttributes({
      target: `/v1/${KEY}/x?api_key=${KEY}&${KEY}&access_token=${JWT}`,
      headers: headerFields([
        ['authorization', `Bearer ${JWT}`],
        ['cookie', `session=${KEY}`],
        ['x-api-key', KEY],
        ['x-request-id', KEY],
        ['x-other', 'hunter2'],
      ]),
      body: 'password=hunter2',
      host: `${KEY.replace('_', '-')}.example.org`,
    });
    for (const reason of Object.keys(REASONS) as ReasonName[]) {
      const refusal = { reason, cause: `issuer said: token ${JWT} and ${KEY}`, detail: `about ${KEY}` };
      const checked = aChecked(reason, attributes, { refusal });
      assert.ok(checked.evaluation !== undefined);
      checked.evaluation.credential = {
        method: 0,
        carrier: { kind: 'header', name: 'x-api-key' },
        value: KEY,
        cacheKey: undefined,
      };
      const text = JSON.stringify(recordOf(checked, attributes));
      for (const secret of [KEY, JWT, 'hunter2', 'c2lnbmF0dXJl'])
        assert.ok(!text.includes(secret), `${secret}: ${text}`);
    }
  });

  it('bounds every field that a client chooses', () => {
    const long = 'x'.repeat(100_000);
    const attributes = anAttributes({ id: long, method: long, host: long, target: `/${long}?${long}` });
    const checked: Checked = { ...aChecked('malformed_host', attributes), request: undefined };
    assert.ok(JSON.stringify(recordOf(checked, attributes)).length < 4000);
  });

  it('lists findings of Audit', () => {
    const attributes = anAttributes({});
    const checked = aChecked('allowed', attributes, {
      findings: [
        { reason: 'denied_by_rule', rule: 'night', outcome: 'would-deny' },
        { reason: 'credential_missing', outcome: 'would-deny' },
      ],
    });
    const { findings, status, decision } = recordOf(checked, attributes);
    assert.deepEqual(
      [findings, status, decision],
      [['would-deny denied_by_rule night', 'would-deny credential_missing'], undefined, 'allow'],
    );
  });

  for (const [name, headers, expected] of [
    ['one', ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'], '0af7651916cd43dd8448eb211c80319c'],
    ['two', ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'x'], undefined],
    ['a zero', [`00-${'0'.repeat(32)}-b7ad6b7169203331-01`], undefined],
    ['a broken', ['00-0AF7-b7ad6b7169203331-01'], undefined],
  ] as const) {
    it(`reads the trace of ${name} traceparent while tracing is off`, () => {
      const pairs = headers.map((value): [string, string] => ['traceparent', value]);
      const attributes = anAttributes({ headers: headerFields(pairs) });
      assert.equal(recordOf(aChecked('no_route', attributes), attributes).trace_id, expected);
    });
  }
});
