import { type Document, isMap, isSeq, type Node, type YAMLMap } from 'yaml';

export type Path = readonly (string | number)[];

/** Where a Pod, or the template of Pods, stands in a document. */
export interface PodTemplate {
  readonly kind: string;
  readonly name: string;
  /** Of what has `metadata` and `spec`. */
  readonly path: Path;
}

const TEMPLATE: Path = ['spec', 'template'];
/** By group and kind: what the controllers of Kubernetes make Pods of. */
const TEMPLATES: Readonly<Record<string, Path>> = {
  '/Pod': [],
  'apps/Deployment': TEMPLATE,
  'apps/ReplicaSet': TEMPLATE,
  'apps/StatefulSet': TEMPLATE,
  'apps/DaemonSet': TEMPLATE,
  'batch/Job': TEMPLATE,
  'batch/CronJob': ['spec', 'jobTemplate', ...TEMPLATE],
};

/** Every template of a document, also of the items of a `List`. What makes no Pods is left out. */
export function* podTemplates(document: Document, path: Path = []): Iterable<PodTemplate> {
  const object = document.getIn(path, true);
  if (!isMap(object)) return;
  const kind = textIn(object, 'kind');
  const apiVersion = textIn(object, 'apiVersion');
  const items = object.get('items', true);
  if (kind.endsWith('List') && isSeq(items)) {
    for (const index of items.items.keys()) yield* podTemplates(document, [...path, 'items', index]);
    return;
  }
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.lastIndexOf('/')) : '';
  const template = TEMPLATES[`${group}/${kind}`];
  if (template === undefined) return;
  const metadata = object.get('metadata', true);
  const name = isMap(metadata) ? textIn(metadata, 'name') || textIn(metadata, 'generateName') : '';
  yield { kind, name, path: [...path, ...template] };
}

function textIn(map: YAMLMap<unknown, unknown>, key: string): string {
  const value = map.get(key);
  return typeof value === 'string' ? value : '';
}

export const nodeAt = (document: Document, path: Path): Node | undefined =>
  document.getIn(path, true) as Node | undefined;

/** As a problem names it: `spec.template.spec.volumes[0].name`. */
export const pathText = (path: Path): string =>
  path.map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${step}`)).join('');
