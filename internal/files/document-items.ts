import { type Problem, ProblemList } from '../core/problem.ts';
import { glimpse } from '../policy/resource/glimpse.ts';

/** One object of a document, as it stands there. */
export interface DocumentItem {
  readonly value: unknown;
  /** Its field path in the document; empty for the document itself. */
  readonly path: string;
}

export interface DocumentItems {
  readonly items: readonly DocumentItem[];
  /** What is wrong around them. */
  readonly problems: readonly Problem[];
  /** Nobody can tell what stands in the list. */
  readonly isUnread: boolean;
}

const FIELDS: readonly string[] = ['apiVersion', 'kind', 'metadata', 'items'];

/** The objects of a document: itself, or those of a `List`, as which `kubectl get -o yaml` writes what it finds. */
export function itemsOf(value: unknown): DocumentItems {
  if (value === null || value === undefined) return { items: [], problems: [], isUnread: false };
  const { apiVersion, kind, items } = value as Readonly<Record<string, unknown>>;
  if (kind !== 'List' || apiVersion !== 'v1') return { items: [{ value, path: '' }], problems: [], isUnread: false };
  const problems = new ProblemList('');
  for (const key of Object.keys(value)) {
    const shown = glimpse(key);
    if (!FIELDS.includes(key)) problems.at(shown).error('UnknownField', `Unknown field "${shown}" of a List`);
  }
  const isList = Array.isArray(items);
  if (!isList) problems.at('items').error('Invalid', 'A List holds a list of objects');
  const found = isList ? items.map((item: unknown, index) => ({ value: item, path: `items[${index}]` })) : [];
  return { items: found, problems: problems.problems, isUnread: !isList };
}
