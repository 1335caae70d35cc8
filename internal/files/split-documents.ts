/** A document as it stands in a file. */
export interface DocumentText {
  readonly text: string;
  /** Lines of the file before it. */
  readonly linesBefore: number;
}

/**
 * Where documents meet (YAML 1.2 §9.1.2): before a line that begins with `---`, after one that begins with `...`. Such
 * a line ends a document whatever it holds, so no scalar and no bracket that was left open reaches over it.
 */
const BOUNDARY = /(?<=\n)(?=---(?:[ \t\r\n]|$))|(?<=(?:^|\n)\.\.\.(?:[ \t\r][^\n]*)?\n)/;
/** Directives, comments and empty lines are of the document after them. */
const PRELUDE = /^\uFEFF?(?:[ \t]*(?:#[^\n]*)?\r?\n|%[^\n]*\n)*$/;

/** The documents of a file, so that each is read, and kept, by itself. Together they are the text, character by character. */
export function splitDocuments(text: string): DocumentText[] {
  const documents: DocumentText[] = [];
  let prelude = '';
  let linesBefore = 0;
  for (const piece of text.split(BOUNDARY)) {
    const whole = prelude + piece;
    if (PRELUDE.test(whole)) {
      prelude = whole;
      continue;
    }
    documents.push({ text: whole, linesBefore });
    linesBefore += linesIn(whole);
    prelude = '';
  }
  if (prelude !== '') documents.push({ text: prelude, linesBefore });
  return documents;
}

function linesIn(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}
