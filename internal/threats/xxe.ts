import { skipBlanks } from './characters.ts';
import type { Detector, Probe, Rules } from './threat.ts';
import { TRAIT } from './traits.ts';

const RULES = {
  entity: { score: 5, from: 1 },
  'external-subset': { score: 5, from: 1 },
  include: { score: 4, from: 1 },
  'schema-location': { score: 3, from: 2 },
  doctype: { score: 3, from: 2 },
} as const satisfies Rules;

const LONGEST_DECLARATION = 1024;

/** Entities and external subsets of XML, and XInclude: what makes a parser fetch something. */
export const externalEntity: Detector = {
  kind: 'externalEntity',
  rules: RULES,
  needs: TRAIT.less,
  find(probe: Probe): undefined {
    const { text } = probe;
    const entity = text.indexOf('<!entity');
    if (entity !== -1) probe.report('entity', entity, entity + 64);
    const include = text.indexOf('xi:include');
    if (include !== -1 && text.lastIndexOf('<', include) !== -1) probe.report('include', include - 1, include + 48);
    const location = text.indexOf('schemalocation=');
    if (location !== -1) probe.report('schema-location', location, location + 48);
    findDoctype(probe);
    probe.steps += 4 * text.length;
  },
};

function findDoctype(probe: Probe): void {
  const { text } = probe;
  const at = text.indexOf('<!doctype');
  if (at === -1) return;
  const declaration = text.slice(at, at + LONGEST_DECLARATION);
  const end = declaration.indexOf('>');
  const head = end === -1 ? declaration : declaration.slice(0, end);
  probe.report('doctype', at, at + head.length);
  if (head.includes('[')) {
    probe.report('entity', at, at + head.length);
    return;
  }
  const system = head.indexOf(' system');
  if (system === -1) return;
  const quote = skipBlanks(head, system + 7);
  const isLegacy = head.startsWith('about:legacy-compat', quote + 1);
  if (!isLegacy) probe.report('external-subset', at, at + head.length);
}
