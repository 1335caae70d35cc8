import type { Detector, Probe, Rules } from './threat.ts';
import { TRAIT } from './traits.ts';

const RULES = {
  'remote-lookup': { score: 5, from: 1 },
  'nested-lookup': { score: 5, from: 1 },
  lookup: { score: 4, from: 1 },
} as const satisfies Rules;

const REMOTE = ['jndi:', 'ldap:', 'ldaps:', 'rmi:', 'dns:', 'iiop:', 'corba:', 'nis:'] as const;
const LOCAL = [
  'env:',
  'sys:',
  'java:',
  'lower:',
  'upper:',
  'date:',
  'ctx:',
  'map:',
  'sd:',
  'main:',
  'bundle:',
  'script:',
  'url:',
  'base64decoder:',
  'base64encoder:',
  'urldecoder:',
  'file:',
  'const:',
  'xml:',
  'k8s:',
  'docker:',
  'spring:',
  'log4j:',
  'marker:',
  'event:',
  'web:',
  'resourcebundle:',
  'localhost:',
] as const;
const LONGEST = 64;

/** Lookups of Log4j and of Apache Commons Text: `${jndi:…}`, letters of it made by other lookups, and local ones. */
export const lookupInjection: Detector = {
  kind: 'lookupInjection',
  rules: RULES,
  needs: TRAIT.dollar,
  find(probe: Probe): undefined {
    const { text } = probe;
    for (let at = text.indexOf('${'); at !== -1; at = text.indexOf('${', at + 2)) {
      const inside = text.slice(at + 2, at + LONGEST);
      probe.steps += inside.length;
      const start = inside.trimStart();
      if (REMOTE.some((prefix) => start.startsWith(prefix))) probe.report('remote-lookup', at, at + 32);
      else if (start.startsWith('${') || start.startsWith('::-') || isSpelled(start))
        probe.report('nested-lookup', at, at + 48);
      else if (LOCAL.some((prefix) => start.startsWith(prefix))) probe.report('lookup', at, at + 32);
    }
  },
};

/** A name whose letters come from lookups: `j${lower:n}di:`. */
function isSpelled(inside: string): boolean {
  const nested = inside.indexOf('${');
  const end = inside.indexOf('}');
  return nested !== -1 && nested < 16 && (end === -1 || nested < end) && inside.includes(':');
}
