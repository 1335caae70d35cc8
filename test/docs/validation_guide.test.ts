import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { REASONS } from '../../internal/core/reasons.ts';
import { type CaseRequest, load } from '../cases/run-case.ts';
import { blockOf, readPage } from './page.ts';

const PAGE = 'docs/validation.md';
const POLICY = blockOf(PAGE, 'yaml', 'kind: APIPolicy');

/** Rows of the page's first table. */
const ROWS = readPage(PAGE)
  .split('\n')
  .filter((line) => /^\| `(?:GET|POST) /.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, request = '', answer = '', errors = '']) => ({ request: request.slice(1, -1), answer, errors }));

function requestOf(text: string): CaseRequest {
  const [, method = '', path = '', body = ''] = /^(\S+) (\S+) ?(.*)$/.exec(text) ?? [];
  const sent = { host: 'orders.example.org', method, path };
  return body === '' ? sent : { ...sent, body, bodyMark: 'false', headers: { 'content-type': 'application/json' } };
}

describe(PAGE, async () => {
  const loaded = await load(POLICY, { bodies: 'forwarded' });

  it('has a policy that is accepted as it stands', () => {
    assert.deepEqual(
      loaded.build.reports.map(({ isAccepted, problems }) => ({ isAccepted, problems })),
      [{ isAccepted: true, problems: [] }],
    );
  });

  it('tells of bodies that may stay behind by what status says', async () => {
    const { build } = await load(POLICY);
    assert.deepEqual(
      build.reports[0]?.problems.map(({ reason }) => reason),
      ['BodyNotForwarded'],
    );
  });

  for (const { request, answer, errors } of ROWS) {
    it(`says what becomes of ${request}`, async () => {
      const { decision } = await loaded.check(requestOf(request));
      const { reason, refusal } = decision;
      assert.equal(reason === 'allowed' ? '200' : `${REASONS[reason].http} \`${reason}\``, answer);
      const found = (refusal?.errors ?? []).map(({ pointer, rule }) => `\`${pointer} (${rule})\``);
      assert.equal(found.join(', '), errors);
    });
  }

  it('has rows for allows and refusals', () => assert.ok(ROWS.length >= 9, String(ROWS.length)));
});
