import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readConfig } from './read-config.ts';

const read = (flags: Readonly<Record<string, string>>) =>
  readConfig({ flags: { policies: 'policies', ...flags }, env: {}, readFile: () => '' });
const problemsOf = (flags: Readonly<Record<string, string>>): readonly string[] => {
  const result = read(flags);
  return result.ok ? [] : result.problems;
};

describe('the options of transports', () => {
  it('give reflection an address of its own beside the native door, for this machine alone by default', () => {
    const addressOf = (flags: Readonly<Record<string, string>>) => {
      const result = read(flags);
      return result.ok ? result.config.grpcAuxAddress : result.problems;
    };
    const native = { transport: 'native', 'grpc-reflection': 'true' };
    assert.deepEqual(addressOf(native), { kind: 'tcp', host: '127.0.0.1', port: 9195 });
    assert.deepEqual(addressOf({ ...native, 'grpc-aux-addr': ':9300' }), { kind: 'tcp', host: '', port: 9300 });
    assert.deepEqual(addressOf({ transport: 'native' }), undefined);
    assert.deepEqual(addressOf({ transport: 'grpc-js', 'grpc-reflection': 'true' }), undefined);
  });

  it('are read in their units', () => {
    const result = read({
      transport: 'native',
      'grpc-max-streams': '100',
      'grpc-max-header-bytes': '64Ki',
      'grpc-ping-interval': '5s',
    });
    assert.ok(result.ok);
    const { maxStreams, maxHeaderBytes, pingIntervalMs } = result.config.http2;
    assert.deepEqual([maxStreams, maxHeaderBytes, pingIntervalMs], [100, 65_536, 5000]);
  });

  for (const [flags, problem] of [
    [{ transport: 'grpc-js', 'grpc-max-streams': '5' }, '--grpc-max-streams has no effect without --transport=native'],
    [{ transport: 'grpc-js', 'grpc-aux-addr': ':1' }, '--grpc-aux-addr has no effect without --transport=native'],
    [{ transport: 'native', 'grpc-aux-addr': ':1' }, '--grpc-aux-addr has no effect without --grpc-reflection'],
    [
      { transport: 'native', 'grpc-max-buffered-bytes': '1Mi' },
      '--grpc-max-buffered-bytes is less than one message of --max-receive-bytes: write at least 2097152 bytes',
    ],
    [
      { transport: 'native', 'grpc-max-buffered-total': '100Mi' },
      '--grpc-max-buffered-total is less than twice --grpc-max-buffered-bytes: write at least 134217728 bytes',
    ],
    [{ transport: 'fast' }, '--transport "fast" is not one of native, grpc-js'],
    [
      { transport: 'native', 'grpc-max-header-bytes': '1Ki' },
      '--grpc-max-header-bytes "1Ki" is out of range: write a size from 4096 to 1048576 bytes',
    ],
  ] as const)
    it(`say what is wrong with ${JSON.stringify(flags)}`, () => assert.deepEqual(problemsOf(flags), [problem]));
});
