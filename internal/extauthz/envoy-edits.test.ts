import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decision, HeaderEdit } from '../core/decision.ts';
import { forEnvoy } from './envoy-edits.ts';
import { aDecision, encodeRequest } from './wire.fixture.ts';
import { readCheckRequest } from './wire.ts';

const aRequest = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  readCheckRequest(encodeRequest({ attributes: { request: { http: { path, headers } } } }));
const anAllow = (edits: Partial<Decision['edits']>): Decision =>
  aDecision('allowed', { edits: { ...aDecision('allowed').edits, ...edits } });
const zone: HeaderEdit = { name: 'X-Zone', value: 'ours', action: 'AddIfAbsent' };

describe('forEnvoy()', () => {
  it('leaves a decision alone that Envoy carries out as it stands', () => {
    const requestHeaders: HeaderEdit[] = [{ name: 'x-caller', value: 'acme', action: 'Set' }];
    const decision = anAllow({ requestHeaders });
    assert.equal(forEnvoy(decision, aRequest('/v1?api_key=1&b=2')), decision);
    const removing = anAllow({ requestHeaders, queryToRemove: ['api_key'] });
    assert.equal(forEnvoy(removing, aRequest('/v1')), removing);
    const refusal = aDecision('not_allowed', { edits: anAllow({ requestHeaders: [zone] }).edits });
    assert.equal(forEnvoy(refusal, aRequest('/')), refusal);
  });

  it('sets a header that is to be added if absent, where it is absent', () => {
    const { edits } = forEnvoy(anAllow({ requestHeaders: [zone] }), aRequest('/'));
    assert.deepEqual(edits.requestHeaders, [{ ...zone, action: 'Set' }]);
  });

  it('keeps what the client sent of a header that is to be added if absent', () => {
    const { edits } = forEnvoy(anAllow({ requestHeaders: [zone] }), aRequest('/', { 'x-zone': 'theirs' }));
    assert.deepEqual(edits.requestHeaders, []);
  });

  it('sets what is also to be removed: nothing of what the client sent is left to keep', () => {
    const requestHeadersToRemove = ['x-zone', 'x-via'];
    const via: HeaderEdit = { name: 'x-via', value: 'ours', action: 'Append' };
    const { edits } = forEnvoy(
      anAllow({ requestHeaders: [zone, via], requestHeadersToRemove }),
      aRequest('/', { 'x-zone': 'theirs', 'x-via': 'theirs' }),
    );
    assert.deepEqual(edits.requestHeaders, [
      { ...zone, action: 'Set' },
      { ...via, action: 'Set' },
    ]);
  });

  it('sets a header that is to be appended where the client sent none: Envoy would send none', () => {
    const via: HeaderEdit = { name: 'x-via', value: 'ours', action: 'Append' };
    const edited = (headers: Readonly<Record<string, string>>) =>
      forEnvoy(anAllow({ requestHeaders: [via] }), aRequest('/', headers)).edits.requestHeaders;
    assert.deepEqual(edited({}), [{ ...via, action: 'Set' }]);
    assert.deepEqual(edited({ 'x-via': 'theirs' }), [via]);
  });

  it('removes nothing from a query without a credential: Envoy would sort and rewrite it', () => {
    for (const target of ['/v1?b=%20&a', '/v1?', '/v1?api_keys=1&a=api_key'])
      assert.deepEqual(forEnvoy(anAllow({ queryToRemove: ['api_key'] }), aRequest(target)).edits.queryToRemove, []);
  });

  it('removes a credential from the query however its name is spelt', () => {
    const target = '/v1?%61pi_key=s&api_key=s&a%20key=s&a+key=s&api%5Fkey&b=%zz&%zz=1&other=%61pi_key';
    const { edits } = forEnvoy(anAllow({ queryToRemove: ['api_key', 'a key'] }), aRequest(target));
    assert.deepEqual(edits.queryToRemove, ['%61pi_key', 'api_key', 'a%20key', 'a+key', 'api%5Fkey']);
  });
});
