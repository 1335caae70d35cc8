import type { Grammar } from './grammar.ts';
import { TOKEN } from './token-kinds.ts';

const MAX_ITEMS = 64;
const LEADING: ReadonlySet<string> = new Set(['all', 'distinct', 'distinctrow', 'top', 'binary', 'not', 'exists']);
const CHANGES: ReadonlySet<string> = new Set(['add', 'change', 'modify', 'returns', 'on', 'owner', 'engine']);

/** Whether a whole statement, or so much of one that it can be nothing else, begins at `i`. */
export function isStatement(grammar: Grammar, i: number): boolean {
  const kind = grammar.kind(i);
  if (kind === TOKEN.select) return isSelection(grammar, i, false);
  if (kind !== TOKEN.verb) return false;
  const next = grammar.kind(i + 1);
  switch (grammar.word(i)) {
    case 'insert':
    case 'replace':
    case 'merge':
      return grammar.is(i + 1, 'into') ? isInsert(grammar, i + 2) : isInsert(grammar, i + 1);
    case 'delete':
      return next === TOKEN.from && isTable(grammar, i + 2) && isClosedBy(grammar, i + 3, 'where');
    case 'update':
      return isUpdate(grammar, i + 1);
    case 'drop':
    case 'create':
    case 'alter':
      return isDefinition(grammar, i + 1);
    case 'truncate':
      return (
        grammar.is(i + 1, 'table') ||
        (isTable(grammar, i + 1) && grammar.isEnd(i + 2) && grammar.kind(i + 2) !== TOKEN.end)
      );
    case 'exec':
    case 'execute':
      return isExecution(grammar, i + 1);
    case 'declare':
    case 'set':
    case 'print':
      return next === TOKEN.variable || (grammar.is(i, 'print') && next === TOKEN.string && i > 0);
    case 'waitfor':
      return grammar.is(i + 1, 'delay') || grammar.is(i + 1, 'time');
    case 'load':
      return grammar.is(i + 1, 'data') && (grammar.is(i + 2, 'infile') || grammar.is(i + 2, 'local'));
    case 'shutdown':
    case 'analyze':
      return i > 0 && grammar.isEnd(i + 1);
    case 'handler':
      return isTable(grammar, i + 1) && (grammar.is(i + 2, 'open') || grammar.is(i + 2, 'read'));
    default:
      return false;
  }
}

/**
 * `select` with a list and what follows it. Names alone make a sentence ("select items from the cart"), so there must
 * be something that no sentence has.
 *
 * @param isSure something before it already says that this is SQL
 */
export function isSelection(grammar: Grammar, i: number, isSure: boolean): boolean {
  let at = i + 1;
  let isSql = isSure;
  for (let k = 0; k < 2 && LEADING.has(grammar.word(at)); k += 1) at += 1;
  for (let k = 0; k < MAX_ITEMS; k += 1) {
    if (grammar.is(at, '*')) {
      isSql = true;
      at += 1;
    } else {
      if (isCase(grammar, at)) return true;
      const next = grammar.operand(at);
      if (next === -1) return false;
      if (isTelling(grammar, at)) isSql = true;
      if (grammar.kind(at) === TOKEN.open && grammar.kind(grammar.skipNoise(at)) === TOKEN.select) return true;
      at = next;
      // `a || b` is one item.
      for (let j = 0; j < MAX_ITEMS && isJoint(grammar, at) && grammar.operand(at + 1) !== -1; j += 1) {
        if (isCase(grammar, at + 1) || grammar.kind(grammar.skipNoise(at + 1)) === TOKEN.select) return true;
        at = grammar.operand(at + 1);
      }
    }
    if (grammar.is(at, 'as')) at += 2;
    if (grammar.kind(at) !== TOKEN.comma) break;
    at += 1;
  }
  const behind = grammar.kind(at);
  if (behind === TOKEN.from)
    return isSql ? isTable(grammar, at + 1) || isSure : isQuery(grammar, at + 1, grammar.kind(i - 1) === TOKEN.open);
  if (behind === TOKEN.clause) return isClause(grammar, at);
  if (!isSql) return false;
  return behind === TOKEN.end || behind === TOKEN.comment || behind === TOKEN.semicolon || behind === TOKEN.close;
}

const isJoint = (grammar: Grammar, i: number): boolean =>
  grammar.kind(i) === TOKEN.logic ? grammar.is(i, '||') : grammar.kind(i) === TOKEN.operator && !grammar.is(i, '*');

const isCase = (grammar: Grammar, i: number): boolean => {
  const at = grammar.kind(i) === TOKEN.open ? i + 1 : i;
  return (
    grammar.is(at, 'case') && (grammar.kind(at + 1) === TOKEN.clause || (at > i && grammar.kind(at + 1) === TOKEN.end))
  );
};

/** What no sentence has behind "select". */
const isTelling = (grammar: Grammar, i: number): boolean => {
  const kind = grammar.kind(i);
  if (kind === TOKEN.number) return grammar.word(i).startsWith('0x');
  return kind === TOKEN.call || kind === TOKEN.variable || grammar.is(i, 'null') || grammar.is(i, 'pg_sleep');
};

/** `where a = 1`, `group by a`, `having count(a) > 1`. */
export function isClause(grammar: Grammar, i: number): boolean {
  const word = grammar.word(i);
  if (word === 'order' || word === 'group') return grammar.is(i + 1, 'by');
  if (word === 'limit') return grammar.kind(i + 1) === TOKEN.number || grammar.kind(i + 1) === TOKEN.end;
  if (word !== 'where' && word !== 'having') return false;
  const first = grammar.operand(i + 1);
  return first !== -1 && grammar.comparison(first) !== -1;
}

/** A table and a condition, or an end that only SQL has: in parentheses, the one that closes them. */
function isQuery(grammar: Grammar, i: number, isInside: boolean): boolean {
  if (grammar.kind(i) === TOKEN.catalog) return true;
  if (grammar.kind(i) === TOKEN.open) return grammar.kind(grammar.skipNoise(i)) === TOKEN.select;
  if (!isTable(grammar, i)) return false;
  const at = grammar.is(i + 1, '.') ? i + 3 : i + 1;
  if (isInside && grammar.kind(at) === TOKEN.close) return true;
  return isClosedBy(grammar, at, 'where') && grammar.kind(at) !== TOKEN.end;
}

/** An end, or a clause with a condition. */
function isClosedBy(grammar: Grammar, i: number, word: string): boolean {
  if (grammar.isEnd(i)) return true;
  if (grammar.kind(i) === TOKEN.clause && !grammar.is(i, 'where')) return isClause(grammar, i);
  if (!grammar.is(i, word)) return false;
  const first = grammar.operand(i + 1);
  return first !== -1 && grammar.comparison(first) !== -1;
}

const isTable = (grammar: Grammar, i: number): boolean => {
  const kind = grammar.kind(i);
  return (
    kind === TOKEN.word ||
    kind === TOKEN.catalog ||
    kind === TOKEN.open ||
    kind === TOKEN.object ||
    kind === TOKEN.string
  );
};

/** `t (a) values (…)`, `t values (…)`, `t select …`, `t set a = 1`. */
function isInsert(grammar: Grammar, i: number): boolean {
  if (!isTable(grammar, i) && !grammar.is(i, 'table')) return false;
  const at = grammar.kind(i + 1) === TOKEN.open ? grammar.behindClose(i + 1) : i + 1;
  const word = grammar.word(at);
  if (word === 'values' || word === 'value' || word === 'default')
    return at > i + 1 || grammar.kind(at + 1) === TOKEN.open;
  return word === 'select' || (word === 'set' && isAssignment(grammar, at + 1));
}

function isUpdate(grammar: Grammar, i: number): boolean {
  if (!isTable(grammar, i)) return false;
  const at = grammar.is(i + 1, '.') ? i + 3 : i + 1;
  return grammar.is(at, 'set') && isAssignment(grammar, at + 1);
}

const isAssignment = (grammar: Grammar, i: number): boolean => {
  const name = grammar.operand(i);
  return name !== -1 && grammar.is(name, '=');
};

/** `table t` and so on, to an end or a parenthesis; a sentence goes on in words. */
function isDefinition(grammar: Grammar, i: number): boolean {
  const at = grammar.kind(i) === TOKEN.filler ? i + 1 : i;
  if (grammar.kind(at) === TOKEN.word)
    return grammar.kind(at + 1) === TOKEN.semicolon && grammar.kind(at + 2) === TOKEN.comment;
  if (grammar.kind(at) !== TOKEN.object) return false;
  let name = at + 1;
  if (grammar.is(name, 'if')) name += grammar.is(name + 1, 'not') ? 3 : 2;
  if (!isTable(grammar, name) || grammar.kind(name) === TOKEN.string) return false;
  const next = grammar.kind(name + 1);
  return (
    grammar.isEnd(name + 1) ||
    next === TOKEN.open ||
    next === TOKEN.verb ||
    next === TOKEN.filler ||
    CHANGES.has(grammar.word(name + 1))
  );
}

/** `xp_cmdshell`, `master..sp_help`, `(@sql)`, `immediate '…'`. */
function isExecution(grammar: Grammar, i: number): boolean {
  const kind = grammar.kind(i);
  if (kind === TOKEN.catalog || kind === TOKEN.variable) return true;
  if (grammar.is(i, 'immediate')) return grammar.kind(i + 1) === TOKEN.string;
  if (kind === TOKEN.open)
    return grammar.kind(i + 1) === TOKEN.variable || grammar.kind(i + 1) === TOKEN.string || grammar.is(i + 1, '@');
  return grammar.is(i, 'master') && grammar.is(i + 1, '.');
}
