import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decision, HeaderAction, HeaderEdit } from '../../core/decision.ts';
import { aDecision } from '../wire.fixture.ts';
import { carriedEdits } from './carried-edits.ts';
import { type HttpRequest, requestOf } from './dialect.ts';
import { ENVOY } from './envoy-dialect.ts';
import type { Line } from './http-message.ts';
import { TRAEFIK } from './traefik-dialect.ts';

const edit = (name: string, value: string, action: HeaderAction = 'Set'): HeaderEdit => ({ name, value, action });

function aRequest(lines: readonly Line[], target = '/'): HttpRequest {
  const forwarded: readonly Line[] = [
    ['x-forwarded-method', 'GET'],
    ['x-forwarded-uri', target],
    ['x-forwarded-host', 'a'],
    ['x-forwarded-proto', 'http'],
    ['x-forwarded-for', '192.0.2.1'],
  ];
  return requestOf(TRAEFIK, { method: 'GET', target: '', lines: [...forwarded, ...lines], body: undefined, timeMs: 0 });
}

function carry(
  changes: Partial<Decision['edits']>,
  { lines = [], target = '/', carried = [], dialect = TRAEFIK }: Partial<Carrying> = {},
): Decision {
  const decision = aDecision('allowed', { edits: { ...aDecision('allowed').edits, ...changes } });
  return carriedEdits(decision, aRequest(lines, target), { carried: new Set(carried), dialect });
}

interface Carrying {
  readonly lines: readonly Line[];
  readonly target: string;
  readonly carried: readonly string[];
  readonly dialect: typeof TRAEFIK;
}

const headersOf = ({ edits }: Decision) => edits.requestHeaders.map(({ name, value }) => [name, value]);
const whyNot = ({ outcome, reason, refusal }: Decision) => [outcome, reason, refusal?.cause?.split(',')[0]];

describe('carriedEdits()', () => {
  it('sends back what a carried header holds, so that a proxy that takes nothing for a removal keeps it', () => {
    const lines: readonly Line[] = [
      ['cookie', 'a=b'],
      ['cookie', 'c=d'],
      ['x-tag', '1'],
      ['x-tag', '2'],
      ['x-other', 'stays'],
    ];
    const carried = ['cookie', 'x-tag', 'x-absent'];
    assert.deepEqual(headersOf(carry({}, { lines, carried })), [
      ['cookie', 'a=b; c=d'],
      ['x-tag', '1, 2'],
    ]);
  });

  it('takes no header for absent that it is not told of', () => {
    const removal = { requestHeadersToRemove: ['x-forwarded-uri'] };
    assert.deepEqual(whyNot(carry(removal)), ['deny', 'edit_unsupported', 'x-forwarded-uri is to be removed']);
    assert.equal(carry(removal, { carried: ['x-forwarded-uri'] }).outcome, 'allow');
  });

  it('sends nothing back to an Envoy, which removes what is listed', () => {
    const { edits } = carry(
      { requestHeadersToRemove: ['X-Api-Key', 'x-tag'], requestHeaders: [edit('x-tag', 'ours')] },
      { lines: [['x-tag', '1']], carried: ['x-tag', 'cookie'], dialect: ENVOY },
    );
    assert.deepEqual([edits.requestHeaders, edits.requestHeadersToRemove], [[edit('x-tag', 'ours')], ['x-api-key']]);
  });

  it('lets a carried header be absent where it is removed', () => {
    const lines: readonly Line[] = [['x-api-key', 'secret']];
    const decision = carry({ requestHeadersToRemove: ['x-api-key'] }, { lines, carried: ['x-api-key'] });
    assert.deepEqual([decision.outcome, headersOf(decision)], ['allow', []]);
  });

  it('refuses to set what no proxy is known to take, for the client’s own copy would pass', () => {
    for (const dialect of [TRAEFIK, ENVOY])
      assert.deepEqual(whyNot(carry({ requestHeaders: [edit('X-Caller', 'acme')] }, { dialect })), [
        'deny',
        'edit_unsupported',
        'x-caller is to be set',
      ]);
  });

  it('refuses to leave to the upstream what is removed and was sent, and not what was not sent', () => {
    const changes = { requestHeadersToRemove: ['x-http-method-override'] };
    assert.equal(carry(changes).outcome, 'allow');
    assert.deepEqual(whyNot(carry(changes, { lines: [['x-http-method-override', 'DELETE']] })), [
      'deny',
      'edit_unsupported',
      'x-http-method-override is to be removed',
    ]);
  });

  it('refuses to leave a credential in the query, in whatever spelling', () => {
    const changes = { queryToRemove: ['api_key'] };
    assert.equal(carry(changes).outcome, 'allow');
    assert.equal(carry(changes, { target: '/?x=api_key' }).outcome, 'allow');
    for (const dialect of [TRAEFIK, ENVOY])
      assert.deepEqual(whyNot(carry(changes, { target: '/?x&%61pi_key=secret', dialect })), [
        'deny',
        'edit_unsupported',
        'the credential is in the query',
      ]);
  });

  it('settles additions: behind what the client sent, or not at all where there is something', () => {
    const carried = ['x-tag', 'x-zone', 'x-new', 'x-removed'];
    const decision = carry(
      {
        requestHeaders: [
          edit('x-tag', 'ours', 'Append'),
          edit('x-zone', 'ours', 'AddIfAbsent'),
          edit('x-new', 'ours', 'Append'),
          edit('x-removed', 'ours', 'AddIfAbsent'),
        ],
        requestHeadersToRemove: ['x-removed'],
      },
      {
        lines: [
          ['x-tag', 'theirs'],
          ['x-zone', 'theirs'],
          ['x-removed', 'theirs'],
        ],
        carried,
      },
    );
    assert.deepEqual(headersOf(decision), [
      ['x-tag', 'theirs, ours'],
      ['x-new', 'ours'],
      ['x-removed', 'ours'],
      ['x-zone', 'theirs'],
    ]);
  });

  it('refuses to send back bytes that no answer can hold', () => {
    const decision = carry({}, { lines: [['x-tag', 'a\udcff']], carried: ['x-tag'] });
    assert.deepEqual(whyNot(decision), ['deny', 'edit_unsupported', 'x-tag has bytes that are no UTF-8']);
  });

  it('tells the client nothing under a name that is the upstream’s', () => {
    const { edits } = carry(
      { requestHeaders: [edit('RateLimit', 'ours')], responseHeaders: [edit('ratelimit', 'theirs'), edit('x-b', '1')] },
      { carried: ['ratelimit'] },
    );
    assert.deepEqual(edits.responseHeaders, [edit('x-b', '1')]);
  });

  it('leaves a refusal as it is', () => {
    const refused = aDecision('not_allowed');
    assert.equal(carriedEdits(refused, aRequest([]), { carried: new Set(), dialect: TRAEFIK }), refused);
  });
});
