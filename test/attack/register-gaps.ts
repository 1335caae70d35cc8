import { ON_PATH } from './fault-register.ts';
import { ELSEWHERE } from './fault-register-elsewhere.ts';
import type { Point } from './source-points.ts';

const FILES = 'test/attack/fault-register.ts (or fault-register-elsewhere.ts where no check passes through the file)';

/** What the register and the sources do not agree on, each with what to do about it; none when they do. */
export function registerGaps(points: readonly Point[], injections: ReadonlySet<string>): string[] {
  const gaps: string[] = [];
  const found = new Set<string>();
  const counts = new Map<string, number>();
  for (const { file, owner, what } of points) {
    const name = `${owner} ${what}`;
    found.add(`${file} ${name}`);
    counts.set(`${file} ${owner}`, (counts.get(`${file} ${owner}`) ?? 0) + 1);
    const isKnown = ON_PATH[file]?.[name] !== undefined || elsewhere(file)?.has(owner) === true;
    if (!isKnown)
      gaps.push(`${file}: "${name}" is new: give it its injection, or the reason why it needs none, in ${FILES}`);
  }
  for (const [file, entries] of Object.entries(ON_PATH)) {
    for (const [name, entry] of Object.entries(entries)) {
      if (!found.has(`${file} ${name}`))
        gaps.push(`${file}: "${name}" is gone from the source: take it out of ${FILES}`);
      if (typeof entry === 'string') continue;
      for (const at of entry)
        if (!injections.has(at)) gaps.push(`${file}: "${name}" names the injection "${at}", which there is not`);
    }
  }
  for (const { files } of ELSEWHERE) {
    for (const file of Object.keys(files)) {
      for (const [owner, registered] of elsewhere(file) ?? []) {
        const count = counts.get(`${file} ${owner}`) ?? 0;
        if (count !== registered)
          gaps.push(
            `${file}: ${owner} has ${count} points, not ${registered}: see that no check waits there, and say so in ${FILES}`,
          );
      }
    }
  }
  return gaps;
}

/** Points of each declaration of a file that no check passes through. */
function elsewhere(file: string): ReadonlyMap<string, number> | undefined {
  const text = ELSEWHERE.map(({ files }) => files[file]).find((entry) => entry !== undefined);
  if (text === undefined) return undefined;
  return new Map(text.split(', ').map((entry) => [entry.split(' ')[0] ?? '', Number(entry.split(' ')[1])] as const));
}
