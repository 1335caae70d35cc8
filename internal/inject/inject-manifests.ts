import { type Document, LineCounter, parseAllDocuments } from 'yaml';
import { injectTemplate } from './inject-template.ts';
import { nodeAt, type Path, type PodTemplate, pathText, podTemplates } from './pod-templates.ts';
import type { Sidecar } from './sidecar.ts';

export interface Injected {
  /** The manifests with the sidecar; as they were given where none of them changed. */
  readonly text: string;
  /** Templates that were found, and how many of them changed. */
  readonly found: number;
  readonly changed: number;
  /** A sentence each, with line, object and field; with any of them `text` is of no use. */
  readonly problems: readonly string[];
}

/**
 * Adds the sidecar to every Pod and template of Pods in YAML of several documents. Comments, order and everything else
 * stay, as far as YAML can be written again.
 *
 * @param file for problems
 */
export function injectManifests(text: string, file: string, sidecar: Sidecar): Injected {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, merge: true, prettyErrors: false });
  const problems: string[] = [];
  let [found, changed] = [0, 0];
  const all = Array.isArray(documents) ? documents : [];
  for (const [index, document] of all.entries()) {
    for (const { message, pos } of document.errors)
      problems.push(`${file}:${lines.linePos(pos[0]).line}: document ${index + 1}: ${message}`);
    if (document.errors.length > 0) continue;
    for (const template of podTemplates(document)) {
      found += 1;
      const result = injectTemplate(document, template, sidecar);
      if (result.isChanged) changed += 1;
      for (const { path, message } of result.problems)
        problems.push(
          `${file}:${lineOf(document, path, lines)}: document ${index + 1}: ${objectOf(template)}: ${pathText(path)} ${message}`,
        );
    }
  }
  const written = changed === 0 ? text : all.map((document, index) => write(document, index === 0)).join('');
  return { text: written, found, changed, problems };
}

const objectOf = ({ kind, name }: PodTemplate): string => (name === '' ? kind : `${kind} "${name}"`);

/** The line of the field, or of the nearest that there is around it. */
function lineOf(document: Document, path: Path, lines: LineCounter): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const range = nodeAt(document, path.slice(0, length))?.range;
    if (range !== undefined && range !== null) return lines.linePos(range[0]).line;
  }
  return 1;
}

function write(document: Document, isFirst: boolean): string {
  if (!isFirst && document.directives !== undefined) document.directives.docStart = true;
  const text = document.toString({ lineWidth: 0 });
  return text.endsWith('\n') ? text : `${text}\n`;
}
