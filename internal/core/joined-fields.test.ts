import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isJoinedBy } from './joined-fields.ts';

it('isJoinedBy() knows the fields that Envoy joins although it sends lines', () => {
  const lines = { isJoined: false };
  for (const name of ['origin', 'content-type', 'x-forwarded-host', 'authorization', 'x-envoy-anything'])
    assert.equal(isJoinedBy(lines, name), true, name);
  for (const name of ['x-role', 'x-api-key', 'cookie', 'accept', 'access-control-request-headers'])
    assert.equal(isJoinedBy(lines, name), false, name);
  assert.equal(isJoinedBy({ isJoined: true }, 'x-role'), true);
});
