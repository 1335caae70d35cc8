import { availableParallelism } from 'node:os';
import { option, type Parsed, parsed, refused } from './option.ts';

/** More processes than this do not belong into one instance. */
const MOST = 64;

/** How many processes answer checks: a number, or as many as the CPU limit of this process allows at a time. */
export function workerCount(text: string, parallelism: () => number = availableParallelism): Parsed<number> {
  if (text === 'auto') return parsed(Math.min(MOST, Math.max(1, parallelism())));
  const count = /^[1-9][0-9]?$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= MOST ? parsed(count) : refused(`is not a number from 1 to ${MOST}: write one, or auto`);
}

export const WORKER_OPTIONS = Object.freeze({
  workers: option({
    placeholder: 'COUNT',
    fallback: '1',
    doc: 'Processes that answer checks, 1 to 64, or auto: as many as the CPU limit allows; with 1 there is no second process',
    parse: (text) => workerCount(text),
  }),
});
