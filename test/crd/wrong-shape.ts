import type { KindName } from '../../internal/policy/resource/kinds.ts';

/** A spec that nobody may apply, and what its author is told. */
export interface WrongShape {
  readonly what: string;
  readonly kind: KindName;
  readonly spec: unknown;
  /** The field's path and the words, as they stand in the API server's message. */
  readonly says: string;
  /** What server-side apply says where it fails before any validation, over types and keys. */
  readonly typed?: string;
  /** What was there before: the spec is an update of it. */
  readonly before?: object;
  /** The agent finds it elsewhere than in the schema. */
  readonly isLater?: true;
}

type Rest = Partial<Pick<WrongShape, 'typed' | 'before' | 'isLater'>>;

const of =
  (kind: KindName) =>
  (what: string, spec: unknown, says: string, rest: Rest = {}): WrongShape => ({ what, kind, spec, says, ...rest });

export const policy = of('APIPolicy');
export const consumer = of('APIConsumer');
export const role = of('APIRole');
export const binding = of('APIRoleBinding');
export const grant = of('HostGrant');
export const baseline = of('APIBaseline');

export const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
