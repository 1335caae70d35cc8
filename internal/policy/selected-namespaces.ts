import type { Breathe } from '../core/breather.ts';
import type { Problem } from '../core/problem.ts';
import type { LabelMatcher, LabelSelectorSpec, Labels } from '../match/label-selector.ts';
import type { ObjectMeta } from './object.ts';

/** What selects namespaces: a grant or a baseline that serves. */
interface Selector {
  readonly meta: ObjectMeta;
  readonly spec: { readonly namespaceSelector: LabelSelectorSpec };
  readonly selects: LabelMatcher;
}

export interface KnownNamespaces {
  names(): Iterable<string>;
  labelsOf(namespace: string): Labels | undefined;
}

/**
 * Finds selectors that select no namespace. Each remembers one that it selected, which is asked first: where nothing went
 * wrong a change costs one look for each selector, however many namespaces there are.
 */
export class SelectedNamespaces {
  #found = new Map<string, string>();

  /** @param breathe awaited between namespaces */
  async selectingNobody(
    selectors: readonly Selector[],
    namespaces: KnownNamespaces,
    breathe: Breathe,
  ): Promise<ReadonlySet<ObjectMeta>> {
    const nobody = new Set<ObjectMeta>();
    const found = new Map<string, string>();
    const empty = new Set<string>();
    for (const selector of selectors) {
      const key = JSON.stringify(selector.spec.namespaceSelector);
      if (!found.has(key) && !empty.has(key)) {
        const one = await firstOf(selector, namespaces, { known: this.#found.get(key), breathe });
        if (one === undefined) empty.add(key);
        else found.set(key, one);
      }
      if (empty.has(key)) nobody.add(selector.meta);
    }
    this.#found = found;
    return nobody;
  }
}

async function firstOf(
  { selects }: Selector,
  { names, labelsOf }: KnownNamespaces,
  { known, breathe }: { readonly known: string | undefined; readonly breathe: Breathe },
): Promise<string | undefined> {
  const isSelected = (name: string): boolean => {
    const labels = labelsOf(name);
    return labels !== undefined && selects(labels);
  };
  if (known !== undefined && isSelected(known)) return known;
  for (const name of names()) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    if (isSelected(name)) return name;
  }
  return undefined;
}

/** The label that every namespace of a cluster has. */
export const NAME_LABEL = 'kubernetes.io/metadata.name';

/** Said of an object of the cluster whose spec serves, and nobody by it. */
export function selectsNobody(selector: LabelSelectorSpec): Problem {
  return {
    reason: 'SelectsNobody',
    path: 'spec.namespaceSelector',
    message: `No namespace has these labels, so nobody has anything of it: ${mending(selector)}, or select by labels that kubectl get namespaces --show-labels shows`,
    severity: 'warning',
  };
}

/** A label may be what no namespace can be called: no command would make one. */
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

function mending({ matchLabels = {}, matchExpressions = [] }: LabelSelectorSpec): string {
  const name = matchLabels[NAME_LABEL];
  const labels = Object.entries(matchLabels).filter(([key]) => key !== NAME_LABEL);
  if (name !== undefined && !NAMESPACE.test(name))
    return `no namespace can be called "${name}": write ${NAME_LABEL} in lower-case letters, digits and "-"`;
  const isWhole = matchExpressions.length === 0;
  if (name !== undefined && labels.length === 0 && isWhole) return `kubectl create namespace ${name}`;
  const wanted = isWhole ? labels.map(([key, value]) => `${key}=${value}`).join(' ') : 'KEY=VALUE';
  return `kubectl label namespace ${name ?? 'NAMESPACE'} ${wanted}`;
}
