import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WatchPlace } from './watch-place.ts';

function at(version: string): WatchPlace {
  const place = new WatchPlace();
  place.listed(version);
  return place;
}

describe('WatchPlace', () => {
  it('is forgotten with the second silence in a row, and not while something is heard between them', () => {
    const place = at('7');
    place.wasSilent();
    place.heard();
    place.wasSilent();
    assert.equal(place.version, '7');
    place.wasSilent();
    assert.equal(place.version, '');
  });

  it('is doubted where a server that is gone may come back with an older store, and forgotten where it did', () => {
    const doubted = [0, 503, 403, 410].map((status) => {
      const place = at('7');
      place.doubt(status);
      return place.isDoubted;
    });
    assert.deepEqual(doubted, [true, true, false, false]);
    const after = ['6', '7', '8'].map((current) => {
      const place = at('7');
      place.doubt(0);
      place.compare(current);
      return [place.version, place.isDoubted];
    });
    assert.deepEqual(after, [
      ['', false],
      ['7', false],
      ['7', false],
    ]);
  });

  it('is in no doubt where it is not known at all', () => {
    const place = at('7');
    place.forget();
    place.doubt(0);
    assert.equal(place.isDoubted, false);
  });
});
