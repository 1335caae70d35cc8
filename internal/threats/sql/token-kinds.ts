/** Kinds of SQL tokens: what a token does, not what it says. */
export const TOKEN = {
  end: 0,
  /** `12`, `1.5e3`, `0x1f`. */
  number: 1,
  /** A quoted text; the last one of a value may lack its end, which the query has. */
  string: 2,
  /** The quote that ends the text in which a query has put the value. */
  breakout: 3,
  /** A name: of a column, a table, or whatever an English word is. */
  word: 4,
  /** `and`, `or`, `xor`, `&&`, `||`. */
  logic: 5,
  /** `union`, `intersect`, `except`. */
  union: 6,
  select: 7,
  from: 8,
  /** What begins a statement: `drop`, `insert`, `exec`. */
  verb: 9,
  /** What a clause begins with: `where`, `having`, `order`, `group`, `limit`, `into`, `when`. */
  clause: 10,
  /** Comparisons that are words: `like`, `between`, `in`, `is`, `collate`. */
  compare: 11,
  /** A function that databases have. */
  call: 12,
  /** `null`, `true`, `default`. */
  constant: 13,
  /** `int`, `text`, `jsonb`: after `::`. */
  type: 14,
  operator: 15,
  open: 16,
  close: 17,
  comma: 18,
  semicolon: 19,
  comment: 20,
  /** `@name`, `@@version`. */
  variable: 21,
  /** Tables and procedures of the database itself. */
  catalog: 22,
  /** What a statement is about: `table`, `database`, `view`. */
  object: 23,
  /** `as`, `by`, `all`, `distinct`, `not`, `set`, `values`, `case`, `then`. */
  filler: 24,
  /** `::` */
  cast: 25,
  other: 26,
} as const;
export type TokenKind = (typeof TOKEN)[keyof typeof TOKEN];
