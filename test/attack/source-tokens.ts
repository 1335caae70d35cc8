/** A name, a mark or a number as it is written; a text, a template's text or a regular expression is one empty pair of quotes. */
export type Token = string;

const TEXT: Token = "''";
const SPACE = /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const QUOTED = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y;
const WORD = /#?[A-Za-z_$][\w$]*|\d[\w.]*/y;
const MARK = /=>|\?\.(?!\d)|\.\.\.|[\s\S]/y;
const EXPRESSION = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const TEMPLATE = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y;
/** Words after which a value begins, so that a slash is no division. */
const BEFORE_VALUE = /^(?:return|typeof|case|in|of|void|delete|await|yield|else|do|throw)$/;

/** The tokens of TypeScript source: enough of its grammar to tell code from what is only written down in it. */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  /** For each template that is open: how many braces are open in its `${`. */
  const templates: number[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(source)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const takeTemplate = (): void => {
    take(TEMPLATE);
    if (source[at] === '`') at += 1;
    else {
      at += 2;
      templates.push(0);
    }
  };
  while (at < source.length) {
    if (take(SPACE) !== undefined) continue;
    const last = tokens.at(-1) ?? '';
    const isValueNext = BEFORE_VALUE.test(last) || !/^(?:[\w$#'"]|\)$|\]$|\}$)/.test(last);
    if (take(QUOTED) !== undefined || (isValueNext && take(EXPRESSION) !== undefined)) {
      tokens.push(TEXT);
      continue;
    }
    const token = take(WORD) ?? take(MARK) ?? '';
    const open = templates.at(-1);
    if (token === '`') {
      tokens.push(TEXT);
      takeTemplate();
    } else if (token === '}' && open === 0) {
      templates.pop();
      takeTemplate();
    } else {
      if (open !== undefined && token === '{') templates[templates.length - 1] = open + 1;
      if (open !== undefined && token === '}') templates[templates.length - 1] = open - 1;
      tokens.push(token);
    }
  }
  return tokens;
}
