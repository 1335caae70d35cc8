import { type Document, isMap, isScalar, isSeq, type YAMLMap } from 'yaml';
import { nodeAt, type Path, type PodTemplate } from './pod-templates.ts';
import { CONTAINER, ENVOY_ANNOTATION, FS_GROUP, INJECT_LABEL, type Sidecar, SOCKET_VOLUME } from './sidecar.ts';

/** Why a template cannot be injected, and where that is written. */
export interface TemplateProblem {
  readonly path: Path;
  readonly message: string;
}

interface Named {
  readonly name?: unknown;
  readonly restartPolicy?: unknown;
  readonly volumeMounts?: unknown;
}

interface Lists {
  readonly containers: readonly Named[];
  readonly initContainers: readonly Named[];
  readonly volumes: readonly Named[];
}

type Wrong = (at: Path, message: string) => void;

/**
 * Adds the sidecar to one template, in place, as the chart's admission policy does to Pods. With any problem nothing is
 * changed.
 *
 * @returns whether anything was missing: what is injected stays as it is, and so does what says that it wants none
 */
export function injectTemplate(
  document: Document,
  { path }: PodTemplate,
  sidecar: Sidecar,
): { readonly isChanged: boolean; readonly problems: readonly TemplateProblem[] } {
  const problems: TemplateProblem[] = [];
  const wrong: Wrong = (at, message) => void problems.push({ path: [...path, ...at], message });
  const metadata = recordOf(plain(document, [...path, 'metadata']));
  const labels = recordOf(metadata.labels);
  if (labels[INJECT_LABEL] === 'false') return { isChanged: false, problems };
  const lists = readLists(document, path, wrong);
  if (lists === undefined) return { isChanged: false, problems };
  if (Object.keys(labels).length === 0)
    wrong(['metadata', 'labels'], 'must hold a label: policies select Pods by theirs');
  const envoy = recordOf(metadata.annotations)[ENVOY_ANNOTATION];
  if (envoy !== undefined && ![...lists.containers, ...lists.initContainers].some(({ name }) => name === envoy))
    wrong(['metadata', 'annotations', ENVOY_ANNOTATION], `names "${String(envoy)}", and there is no such container`);
  const isInjected =
    lists.initContainers.some(({ name }) => name === CONTAINER) &&
    lists.volumes.some(({ name }) => name === SOCKET_VOLUME);
  if (!isInjected) refuseTaken(lists, sidecar, wrong);
  refuseMounts(lists, { sidecar, isInjected }, wrong);
  if (plain(document, [...path, 'spec', 'shareProcessNamespace']) === true)
    wrong(
      ['spec', 'shareProcessNamespace'],
      'is true, and so every container could read the token of the sidecar: leave it out',
    );
  if (problems.length > 0) return { isChanged: false, problems };
  const wanting = containersWithout(lists, sidecar, envoy);
  for (const at of wanting) append(document, [...path, ...at, 'volumeMounts'], sidecar.mount);
  if (!isInjected) addSidecar(document, [...path, 'spec'], sidecar);
  return { isChanged: !isInjected || wanting.length > 0, problems };
}

/** What is added to has to stand here: a list that others share by an alias is theirs too. */
function readLists(document: Document, path: Path, wrong: Wrong): Lists | undefined {
  let isRead = true;
  const refuse = (at: Path, message: string): readonly Named[] => {
    isRead = false;
    wrong(at, message);
    return [];
  };
  const read = (field: keyof Lists): readonly Named[] => {
    const at = ['spec', field];
    const node = nodeAt(document, [...path, ...at]);
    if (node === undefined || (isScalar(node) && node.value === null)) return [];
    const isList = isSeq(node) && node.items.every((item) => isMap(item) && typeof item.get('name') === 'string');
    if (!isList) return refuse(at, 'must be a list of objects with names, written here and not by an alias');
    for (const [index, item] of node.items.entries()) {
      const mounts: unknown = (item as YAMLMap).get('volumeMounts', true);
      if (mounts !== undefined && (!isSeq(mounts) || mounts.anchor !== undefined))
        refuse([...at, index, 'volumeMounts'], 'must be a list that is written here and shared by no alias');
    }
    return node.toJS(document) as readonly Named[];
  };
  const lists = { containers: read('containers'), initContainers: read('initContainers'), volumes: read('volumes') };
  if (isRead && lists.containers.length === 0) refuse(['spec', 'containers'], 'must name at least one container');
  return isRead ? lists : undefined;
}

function refuseTaken(lists: Lists, sidecar: Sidecar, wrong: Wrong): void {
  const taken = new Set<unknown>([CONTAINER, ...sidecar.volumes.map(({ name }) => name)]);
  for (const [field, list] of Object.entries(lists) as [keyof Lists, readonly Named[]][])
    for (const [index, { name }] of list.entries())
      if (taken.has(name))
        wrong(
          ['spec', field, index, 'name'],
          `is "${String(name)}", which the sidecar has for its own: choose another`,
        );
}

/** Whoever mounts a volume of the sidecar has its token, or can put its own socket where Envoy asks. */
function refuseMounts(
  { containers, initContainers }: Lists,
  { sidecar, isInjected }: { readonly sidecar: Sidecar; readonly isInjected: boolean },
  wrong: Wrong,
): void {
  const reserved = new Set<unknown>(sidecar.volumes.map(({ name }) => name));
  for (const [field, list] of Object.entries({ containers, initContainers }))
    for (const [index, { name: container, volumeMounts }] of list.entries()) {
      if (container === CONTAINER || !Array.isArray(volumeMounts)) continue;
      for (const [at, mount] of volumeMounts.entries()) {
        const { name, readOnly } = recordOf(mount);
        const isGiven = isInjected && name === sidecar.mount.name && readOnly === true;
        if (reserved.has(name) && !isGiven)
          wrong(
            ['spec', field, index, 'volumeMounts', at, 'name'],
            `is "${String(name)}", which no container but the sidecar mounts so: leave it out`,
          );
      }
    }
}

/** Those that may ask and cannot yet: every container that runs beside the sidecar, or the one that is named. */
function containersWithout({ containers, initContainers }: Lists, { mount }: Sidecar, envoy: unknown): readonly Path[] {
  const isWanting = ({ name, volumeMounts }: Named): boolean => {
    const hasMount =
      Array.isArray(volumeMounts) && volumeMounts.some((one) => recordOf(one).mountPath === mount.mountPath);
    return name !== CONTAINER && (envoy === undefined || envoy === name) && !hasMount;
  };
  return [
    ...containers.flatMap((container, index) => (isWanting(container) ? [['spec', 'containers', index]] : [])),
    ...initContainers.flatMap((container, index) =>
      container.restartPolicy === 'Always' && isWanting(container) ? [['spec', 'initContainers', index]] : [],
    ),
  ];
}

function addSidecar(document: Document, spec: Path, { container, volumes }: Sidecar): void {
  const initContainers = nodeAt(document, [...spec, 'initContainers']);
  if (isSeq(initContainers)) initContainers.items.unshift(document.createNode(container));
  else document.setIn([...spec, 'initContainers'], document.createNode([container]));
  for (const volume of volumes) append(document, [...spec, 'volumes'], volume);
  const security = nodeAt(document, [...spec, 'securityContext']);
  if (!isMap(security)) document.setIn([...spec, 'securityContext'], document.createNode({ fsGroup: FS_GROUP }));
  else if (!security.has('fsGroup')) security.set('fsGroup', FS_GROUP);
}

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

function plain(document: Document, path: Path): unknown {
  const node = nodeAt(document, path) as { toJS?: (of: Document) => unknown } | undefined;
  return node?.toJS?.(document);
}

function append(document: Document, path: Path, value: unknown): void {
  const list = nodeAt(document, path);
  if (isSeq(list)) list.add(document.createNode(value));
  else document.setIn(path, document.createNode([value]));
}
