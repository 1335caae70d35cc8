import assert from 'node:assert/strict';
import { it } from 'node:test';
import { pathDisagreements } from './path-models.ts';

it('no path is allowed that a strict, an nginx-like, a Tomcat-like, a WHATWG or a twice decoding upstream takes for what is denied', async () => {
  assert.deepEqual(await pathDisagreements(20_000), []);
});
