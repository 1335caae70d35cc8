import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_BOUNDS } from './bounds.ts';
import { ConnectionError } from './connection-error.ts';
import { Patience } from './patience.ts';

const BOUNDS = {
  ...DEFAULT_BOUNDS,
  handshakeTimeoutMs: 100,
  requestTimeoutMs: 200,
  stallTimeoutMs: 300,
  pingIntervalMs: 400,
  pingTimeoutMs: 50,
};
const NOTHING_SENT = { bytesWritten: 0, writableLength: 0 };

function greeted(): Patience {
  const patience = new Patience(BOUNDS, 0);
  patience.hasSettings = true;
  patience.isAcknowledged = true;
  return patience;
}

const endsAs = (ending: string) => (error: unknown) => error instanceof ConnectionError && error.ending === ending;

describe('Patience', () => {
  it('waits for the handshake, and no longer than it may take', () => {
    const patience = new Patience(BOUNDS, 0);
    patience.hasSettings = true;
    assert.equal(patience.look(100, NOTHING_SENT, true), false);
    assert.throws(() => patience.look(101, NOTHING_SENT, true), endsAs('handshake'));
  });

  it('asks who is silent once, and ends who does not answer', () => {
    const patience = greeted();
    const asked = [400, 401, 420, 451].map((nowMs) => patience.look(nowMs, NOTHING_SENT, true));
    assert.deepEqual(asked, [false, true, false, false]);
    assert.throws(() => patience.look(452, NOTHING_SENT, true), endsAs('silent'));
  });

  it('takes whatever is sent for an answer', () => {
    const patience = greeted();
    patience.look(401, NOTHING_SENT, true);
    patience.read(440, 1, false, 0);
    assert.deepEqual(
      [500, 840, 841].map((nowMs) => patience.look(nowMs, NOTHING_SENT, true)),
      [false, false, true],
    );
  });

  it('bears that every piece ends within a frame, as long as frames come to their end', () => {
    const patience = greeted();
    for (let nowMs = 0; nowMs < 2000; nowMs += 100) {
      patience.read(nowMs, nowMs, true, 0);
      patience.look(nowMs, NOTHING_SENT, true);
    }
    for (let nowMs = 1950; nowMs <= 2100; nowMs += 50) patience.read(nowMs, 1900, true, 0);
    assert.throws(() => patience.look(2101, NOTHING_SENT, true), endsAs('slow_request'));
  });

  it('counts a header block from its beginning, however many CONTINUATION frames come', () => {
    const patience = greeted();
    for (let nowMs = 0; nowMs <= 200; nowMs += 50) {
      patience.read(nowMs, nowMs, false, 7);
      patience.look(nowMs, NOTHING_SENT, true);
    }
    patience.read(201, 201, false, 7);
    assert.throws(() => patience.look(201, NOTHING_SENT, true), endsAs('slow_request'));
  });

  it('bears header blocks that are all cut in two, as long as each comes to its end', () => {
    const patience = greeted();
    for (let nowMs = 0; nowMs < 2000; nowMs += 100) {
      patience.read(nowMs, nowMs, false, nowMs + 1);
      patience.look(nowMs, NOTHING_SENT, true);
    }
    patience.read(2000, 2000, false, 0);
    assert.equal(patience.look(2350, NOTHING_SENT, true), false);
  });

  it('holds nothing against a peer that it did not read from', () => {
    const patience = greeted();
    patience.read(100, 1, true, 0);
    assert.equal(patience.look(1000, NOTHING_SENT, false), false);
    patience.resumed(1000);
    assert.equal(patience.look(1001, NOTHING_SENT, true), false);
  });

  it('ends who takes nothing, and not who takes a little', () => {
    const patience = greeted();
    const look = (nowMs: number, bytesWritten: number, writableLength: number) => {
      patience.read(nowMs, 1, false, 0);
      patience.look(nowMs, { bytesWritten, writableLength }, true);
    };
    for (let nowMs = 0; nowMs < 3000; nowMs += 200) look(nowMs, 1000 + nowMs, 900);
    look(3000, 5000, 2000);
    look(3300, 6000, 3000);
    assert.throws(() => look(3301, 6000, 3000), endsAs('stalled'));
  });
});
