import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { carriedHeaders } from './carried-headers.ts';
import { peerNetworks } from './cidr-list.ts';

const problemOf = (result: ReturnType<typeof carriedHeaders>) => (result.ok ? undefined : result.problem);

describe('carriedHeaders()', () => {
  it('reads names in any case', () => {
    const result = carriedHeaders('X-Caller, x_tag,x-original-url,authorization');
    assert.deepEqual(result.ok && [...result.value], ['x-caller', 'x_tag', 'x-original-url', 'authorization']);
  });

  it('refuses what is no name', () => {
    for (const text of ['', 'x-a,', 'x a', 'x:a', 'ä'])
      assert.match(problemOf(carriedHeaders(text)) ?? '', /^names ".*", which is no header: write names/, text);
    assert.match(problemOf(carriedHeaders(Array(49).fill('x-a').join(','))) ?? '', /at most 48/);
  });

  it('refuses what would be taken for a part of the answer or an order to the proxy', () => {
    for (const name of [
      'Content-Length',
      'content-type',
      'Connection',
      'host',
      'X-Accel-Redirect',
      'set-cookie',
      'X-Envoy-Auth-Headers-To-Remove',
      'x-postern-status',
      'x-original-uri',
      'x-forwarded-host',
      'transfer-encoding',
      'www-authenticate',
      'location',
    ])
      assert.match(
        problemOf(carriedHeaders(`x-a,${name}`)) ?? '',
        /^names ".*", which says something of the answer/,
        name,
      );
  });
});

describe('peerNetworks()', () => {
  it('refuses to trust everybody', () => {
    for (const text of ['0.0.0.0/0', '10.0.0.0/8,::/0']) assert.equal(peerNetworks(text).ok, false);
    assert.equal(peerNetworks('10.0.0.0/8,::1').ok, true);
  });
});
