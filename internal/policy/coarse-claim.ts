import { type ClaimedTarget, commonTemplate } from './claimed-target.ts';

/** The claim by its hosts, and what its paths have in common: it denies that, also in Audit, where no other governs it. */
export function coarseClaim({ hosts, routes, templates }: ClaimedTarget): ClaimedTarget {
  const template = commonTemplate(templates);
  return Object.freeze({
    hosts,
    routes,
    templates: Object.freeze([template]),
    guessed: new Set([template]),
    isWhole: false,
  });
}
