import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ManualTimers } from '../kube/manual-timers.fixture.ts';
import { createLog } from '../telemetry/log.ts';
import { SourceTroubles } from './source-troubles.ts';

const WATCHES = ['apipolicies', 'apiroles', 'apiconsumers', 'hostgrants', 'apibaselines', 'namespaces', 'leases'];
const BEGINS = 'The API server did not answer as it should; what is known serves';
const AGAIN = 'The API server answers as it should again';

let timers: ManualTimers;
let lines: Record<string, unknown>[];
let troubles: SourceTroubles;

beforeEach(() => {
  timers = new ManualTimers();
  lines = [];
  const output = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  troubles = new SourceTroubles(createLog({ level: 'info', output, clock: timers }), timers);
  troubles.isSynced = true;
});

const allFail = (why: string): void => {
  for (const resource of WATCHES) troubles.begin({ resource, place: '', why: `${why}; more`, outage: why });
};
const said = (): readonly unknown[] =>
  lines.splice(0).map(({ message, why, affects, resource }) => [message, why ?? resource, affects].filter(Boolean));

describe('SourceTroubles', () => {
  it('say an outage in one line, with its cause, and one when it is over, however much is watched', () => {
    allFail('it closed the connection');
    timers.advance(200);
    allFail('nothing listens there');
    timers.advance(60_000);
    allFail('nothing listens there');
    timers.advance(60_000);
    const affects = [...WATCHES.slice(0, 5), '2 more'];
    assert.deepEqual(said(), [[BEGINS, 'nothing listens there', affects]]);
    assert.equal(troubles.lines.length, WATCHES.length);
    for (const resource of WATCHES) {
      assert.deepEqual(said(), [], 'not before the last of them answers');
      troubles.end({ resource, place: '' });
    }
    assert.deepEqual(said(), [[AGAIN]]);
    assert.deepEqual(troubles.lines, []);
  });

  it('say another cause of the same outage once, and only if it lasts', () => {
    for (const why of ['nothing listens there', 'its certificate has expired', 'nothing listens there']) {
      allFail(why);
      timers.advance(60_000);
    }
    allFail('storage is initializing');
    timers.advance(20_000);
    for (const resource of WATCHES) troubles.end({ resource, place: '' });
    timers.advance(60_000);
    assert.deepEqual(
      said().map((line) => (line as readonly unknown[])[1]),
      ['nothing listens there', 'its certificate has expired', undefined],
    );
  });

  it('say nothing of one that is over in a moment', () => {
    allFail('it closed the connection');
    timers.advance(500);
    for (const resource of WATCHES) troubles.end({ resource, place: '' });
    timers.advance(60_000);
    assert.deepEqual(said(), []);
  });

  it('say nothing of what an API server refuses while it starts', () => {
    allFail('nothing listens there');
    timers.advance(1000);
    said();
    for (const resource of WATCHES) troubles.begin({ resource, place: '', why: 'forbidden' });
    timers.advance(20_000);
    for (const resource of WATCHES.slice(1)) troubles.end({ resource, place: '' });
    assert.deepEqual(said(), [], 'it is not over while one is refused');
    troubles.end({ resource: 'apipolicies', place: '' });
    assert.deepEqual(said(), [[AGAIN]]);
    troubles.begin({ resource: 'leases', place: '', why: 'forbidden' });
    timers.advance(20_000);
    troubles.end({ resource: 'leases', place: '' });
    timers.advance(60_000);
    assert.deepEqual(said(), []);
  });

  it('say what stays wrong with one watch when the outage is over', () => {
    allFail('nothing listens there');
    timers.advance(1000);
    said();
    for (const resource of WATCHES.slice(1)) troubles.end({ resource, place: '' });
    for (let again = 0; again < 3; again += 1) {
      assert.deepEqual(said(), []);
      troubles.begin({ resource: 'apipolicies', place: '', why: 'forbidden' });
      timers.advance(15_000);
    }
    assert.deepEqual(said(), [[AGAIN], [BEGINS, 'forbidden']]);
    troubles.end({ resource: 'apipolicies', place: '' });
    assert.deepEqual(said(), [[AGAIN, 'apipolicies']]);
    timers.advance(60_000);
    troubles.begin({ resource: 'apipolicies', place: '', why: 'forbidden' });
    assert.deepEqual(said(), [[BEGINS, 'forbidden']], 'without an outage before it, at once');
  });
});
