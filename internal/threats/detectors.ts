import { commandInjection } from './command.ts';
import { headerInjection } from './crlf.ts';
import { ldapInjection } from './ldap.ts';
import { lookupInjection } from './lookup.ts';
import { nosqlInjection } from './nosql.ts';
import { pathTraversal } from './path-traversal.ts';
import { prototypePollution } from './prototype.ts';
import { sqlInjection } from './sql/sql.ts';
import { serverSideRequestForgery } from './ssrf.ts';
import { templateInjection } from './template.ts';
import type { Detector, ThreatKind } from './threat.ts';
import { xpathInjection } from './xpath.ts';
import { crossSiteScripting } from './xss/xss.ts';
import { externalEntity } from './xxe.ts';

/** All detectors, in the order in which a value is given to them. */
export const DETECTORS: readonly Detector[] = [
  sqlInjection,
  crossSiteScripting,
  pathTraversal,
  commandInjection,
  ldapInjection,
  xpathInjection,
  nosqlInjection,
  templateInjection,
  serverSideRequestForgery,
  lookupInjection,
  externalEntity,
  prototypePollution,
  headerInjection,
];

const chosen = new WeakMap<readonly ThreatKind[], readonly Detector[]>();

/** Those of some kinds; the same list of kinds is looked through once. */
export function detectorsOf(kinds: readonly ThreatKind[]): readonly Detector[] {
  let detectors = chosen.get(kinds);
  if (detectors === undefined) {
    detectors = DETECTORS.filter(({ kind }) => kinds.includes(kind));
    chosen.set(kinds, detectors);
  }
  return detectors;
}
