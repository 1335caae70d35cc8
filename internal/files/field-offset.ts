import { type Document, isMap, isNode } from 'yaml';

/** Offset of the field that a problem's path names, or of the nearest one around it that is there. */
export function fieldOffset(document: Document, path: string): number {
  const steps = path
    .replaceAll(/\[(\d+)\]/g, '.$1')
    .split('.')
    .filter((step) => step !== '');
  for (let length = steps.length; length > 0; length -= 1) {
    const keys = steps.slice(0, length).map((step) => (/^\d+$/.test(step) ? Number(step) : step));
    const parent = length === 1 ? document.contents : document.getIn(keys.slice(0, -1), true);
    const pair = isMap(parent)
      ? parent.items.find((item) => isNode(item.key) && item.key.toJSON() === String(keys.at(-1)))
      : undefined;
    const node = pair?.key ?? document.getIn(keys, true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return isNode(document.contents) ? (document.contents.range?.[0] ?? 0) : 0;
}
