/** Measures of an XML document. */
export interface XmlShape {
  /** Elements in each other. */
  depth: number;
  elements: number;
  /** Of the element that has most. */
  attributes: number;
}

/** Why a document is not taken. */
export type XmlProblem = 'dtd' | 'entity' | 'instruction' | 'encoding' | 'deep' | 'large' | 'syntax';

/** Deepest nesting that is read. */
export const MAX_XML_DEPTH = 256;
/** Most tags, comments, attributes and references that are read: a megabyte of them would hold up other checks. */
export const MAX_XML_PIECES = 20_000;

const S = '[ \\t\\r\\n]';
const NAME = '[A-Za-z_:\\u00c0-\\u{10ffff}][\\w:.\\u00b7\\u00c0-\\u{10ffff}-]*';
const DECLARATION = new RegExp(
  `<\\?xml${S}+version${S}*=${S}*(?:"1\\.0"|'1\\.0')(?:${S}+encoding${S}*=${S}*(?:"([\\w.-]{1,40})"|'([\\w.-]{1,40})'))?(?:${S}+standalone${S}*=${S}*(?:"(?:yes|no)"|'(?:yes|no)'))?${S}*\\?>`,
  'uy',
);
const START = new RegExp(`<(${NAME})`, 'uy');
const ATTRIBUTE = new RegExp(`${S}+(${NAME})${S}*=${S}*("[^<"]*"|'[^<']*')`, 'uy');
const START_END = new RegExp(`${S}*(/?)>`, 'uy');
const END = new RegExp(`</(${NAME})${S}*>`, 'uy');
const REFERENCE = /&(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: what XML has no place for is looked for
const NO_CHARACTER = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const BLANK = /^[ \t\r\n]*$/;

/**
 * Walks a document once (XML 1.0, without DTD): no document type, no entity but the five that every reader knows, no
 * processing instruction, nothing behind the root. Whoever expands, includes or fetches finds nothing to do so with.
 */
export function scanXml(text: string): XmlShape | XmlProblem {
  return new XmlWalk(text).walk();
}

class XmlWalk {
  readonly #text: string;
  readonly #open: string[] = [];
  readonly #shape: XmlShape = { depth: 0, elements: 0, attributes: 0 };
  #pieces = 0;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  walk(): XmlShape | XmlProblem {
    if (NO_CHARACTER.test(this.#text)) return 'syntax';
    const begun = this.#begin();
    if (begun !== undefined) return begun;
    for (;;) {
      const next = this.#text.indexOf('<', this.#at);
      const problem = this.#characters(next === -1 ? this.#text.length : next);
      if (problem !== undefined) return problem;
      if (next === -1) break;
      this.#pieces += 1;
      const wrong = this.#markup();
      if (wrong !== undefined) return wrong;
      if (this.#pieces > MAX_XML_PIECES) return 'large';
    }
    return this.#open.length === 0 && this.#shape.elements > 0 ? this.#shape : 'syntax';
  }

  /** A byte order mark and the declaration, both of which may be left out. */
  #begin(): XmlProblem | undefined {
    if (this.#text.charCodeAt(0) === 0xfeff) this.#at = 1;
    if (!/^<\?xml[ \t\r\n]/.test(this.#text.slice(this.#at, this.#at + 6))) return undefined;
    const found = this.#match(DECLARATION);
    if (found === undefined) return 'syntax';
    const encoding = (found[1] ?? found[2] ?? 'utf-8').toLowerCase();
    return encoding === 'utf-8' || encoding === 'us-ascii' ? undefined : 'encoding';
  }

  #markup(): XmlProblem | undefined {
    const text = this.#text;
    const at = this.#at;
    if (text.startsWith('<!--', at)) {
      const end = text.indexOf('--', at + 4);
      if (end === -1 || text.charAt(end + 2) !== '>') return 'syntax';
      this.#at = end + 3;
      return undefined;
    }
    if (text.startsWith('<![CDATA[', at) && this.#open.length > 0) {
      const end = text.indexOf(']]>', at);
      this.#at = end + 3;
      return end === -1 ? 'syntax' : undefined;
    }
    if (text.startsWith('<!', at)) return 'dtd';
    if (text.startsWith('<?', at)) return 'instruction';
    return text.startsWith('</', at) ? this.#close() : this.#element();
  }

  #close(): XmlProblem | undefined {
    const found = this.#match(END);
    return found !== undefined && this.#open.pop() === found[1] ? undefined : 'syntax';
  }

  #element(): XmlProblem | undefined {
    const name = this.#match(START)?.[1];
    if (name === undefined || (this.#open.length === 0 && this.#shape.elements > 0)) return 'syntax';
    const problem = this.#attributes();
    if (problem !== undefined) return problem;
    const end = this.#match(START_END);
    if (end === undefined) return 'syntax';
    const depth = this.#open.length + 1;
    if (depth > MAX_XML_DEPTH) return 'deep';
    this.#shape.elements += 1;
    this.#shape.depth = Math.max(this.#shape.depth, depth);
    if (end[1] === '') this.#open.push(name);
    return undefined;
  }

  #attributes(): XmlProblem | undefined {
    const names = new Set<string>();
    for (let found = this.#match(ATTRIBUTE); found !== undefined; found = this.#match(ATTRIBUTE)) {
      const [, name = '', value = ''] = found;
      if (names.has(name)) return 'syntax';
      names.add(name);
      this.#pieces += 1;
      if (this.#pieces > MAX_XML_PIECES) return 'large';
      const problem = this.#references(value);
      if (problem !== undefined) return problem;
    }
    this.#shape.attributes = Math.max(this.#shape.attributes, names.size);
    return undefined;
  }

  /** Text up to the next tag; outside of the root there is none. */
  #characters(end: number): XmlProblem | undefined {
    const text = this.#text.slice(this.#at, end);
    this.#at = end;
    if (this.#open.length === 0) return BLANK.test(text) ? undefined : 'syntax';
    return this.#references(text);
  }

  #references(text: string): XmlProblem | undefined {
    for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', at + 1)) {
      REFERENCE.lastIndex = at;
      if (!REFERENCE.test(text)) return 'entity';
      this.#pieces += 1;
      if (this.#pieces > MAX_XML_PIECES) return 'large';
    }
    return undefined;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }
}
