import type { Steps } from '../core/breather.ts';
import { type Place, type ScanOptions, scanSteps } from './scan.ts';
import type { Hit } from './threat.ts';

/** What was found in one place. */
export interface PlacedHit extends Hit {
  readonly place: Place;
  /** The name itself holds it, and not the value under it. */
  readonly isName: boolean;
}

/** Most hits of one request that are told of. */
const MAX_PLACED = 64;

/**
 * Looks at every place of a request: its value, and its name where that is not empty. A JSON pointer's last member is
 * the name; of a path, whose name is empty, the segments are values by themselves, and the whole is one too.
 *
 * @returns in the order of the places; a request with more than 64 hits is told of as far as that
 */
export function* scanPlaces(
  places: Iterable<readonly [place: Place, value: string]>,
  options: ScanOptions,
): Steps<readonly PlacedHit[]> {
  const found: PlacedHit[] = [];
  const names = new Set<string>();
  for (const [place, value] of places) {
    const name = nameOf(place);
    const key = `${place.in} ${place.name}`;
    if (name !== '' && !names.has(key)) {
      names.add(key);
      for (const hit of yield* scanSteps(name, place, options)) found.push({ ...hit, place, isName: true });
    }
    for (const hit of yield* scanSteps(value, place, options)) found.push({ ...hit, place, isName: false });
    if (found.length >= MAX_PLACED) return found.slice(0, MAX_PLACED);
    yield;
  }
  return found;
}

/** The last member of a pointer, unescaped (RFC 6901); an index of an array says nothing. */
function nameOf(place: Place): string {
  if (place.in !== 'body') return place.name;
  const last = place.name.slice(place.name.lastIndexOf('/') + 1);
  return /^\d{1,9}$/.test(last) ? '' : last.replaceAll('~1', '/').replaceAll('~0', '~');
}
