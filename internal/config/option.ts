/** What a parser makes of an option's text: a typed value, or what to write instead. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

export const parsed = <T>(value: T): Parsed<T> => ({ ok: true, value });
/** @param problem follows the quoted value: `is not …: write …` */
export const refused = (problem: string): Parsed<never> => ({ ok: false, problem });

/** One option of `serve`: the row that the flag, the variable, the file's key, `--help` and the reference come from. */
export interface Option<T> {
  /** What stands after the flag in `--help`; undefined for a switch, which is given without a value. */
  readonly placeholder: string | undefined;
  /** The closed set of values, where it is one. */
  readonly choices?: readonly string[];
  /** Text parsed when nothing is given; undefined where the default depends on other options or there is none. */
  readonly fallback?: string;
  /** The default in words, where it depends on other options. */
  readonly fallbackDoc?: string;
  /** Whether the file may give a list, joined with commas. */
  readonly isList?: boolean;
  /** Whether it is a path of this machine, which counts from where it was typed, in a file from its folder. */
  readonly isPath?: boolean;
  /** Which mode it belongs to; given in the other one it is refused, for it would have no effect. */
  readonly only?: 'kube';
  readonly doc: string;
  readonly parse: (text: string) => Parsed<T>;
}

/** Fixes the row's type; behaves as if the object were written alone. */
export const option = <T>(row: Option<T>): Option<T> => Object.freeze(row);

/** The variable of an option: `grpc-addr` is `POSTERN_GRPC_ADDR`. */
export const variableOf = (name: string): string => `POSTERN_${name.toUpperCase().replaceAll('-', '_')}`;
