import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import type { ExpressionError } from '../../core/expression-error.ts';
import type { Meter } from '../../core/meter.ts';
import { type DearParts, type InZone, UTC } from './dear-parts.ts';
import { CompileError, type Node, type RunSmall } from './node.ts';
import { describeType, INT } from './static-type.ts';
import { floorDiv } from './time.ts';
import { Duration, isError, noOverload, Timestamp, type Value } from './value.ts';

/** Steps of a field of a computed time: measured. */
const FIELD_COST = 20;
const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

const modulo = (value: number, by: number): number => ((value % by) + by) % by;
const dayOfYear = (local: Date): number => {
  const first = new Date(0);
  first.setUTCFullYear(local.getUTCFullYear(), 0, 1);
  return Math.floor((local.getTime() - first.getTime()) / DAY_MS);
};

/** Fields of a local time, as CEL counts them: months, days of month and of year from 0, Sunday is 0. */
const TIME_FIELDS: Readonly<Record<string, (localMs: number) => number>> = {
  getFullYear: (ms) => new Date(ms).getUTCFullYear(),
  getMonth: (ms) => new Date(ms).getUTCMonth(),
  getDate: (ms) => new Date(ms).getUTCDate(),
  getDayOfMonth: (ms) => new Date(ms).getUTCDate() - 1,
  getDayOfWeek: (ms) => modulo(Math.floor(ms / DAY_MS) + 4, 7),
  getDayOfYear: (ms) => dayOfYear(new Date(ms)),
  getHours: (ms) => modulo(Math.floor(ms / HOUR_MS), 24),
  getMinutes: (ms) => modulo(Math.floor(ms / MINUTE_MS), 60),
  getSeconds: (ms) => modulo(Math.floor(ms / SECOND_MS), 60),
  getMilliseconds: (ms) => modulo(Math.floor(ms), SECOND_MS),
};

/** Fields of a duration: all of it in that unit, milliseconds only what is left of a second. */
const DURATION_FIELDS: Readonly<Record<string, (ns: bigint) => bigint>> = {
  getHours: (ns) => ns / 3_600_000_000_000n,
  getMinutes: (ns) => ns / 60_000_000_000n,
  getSeconds: (ns) => ns / 1_000_000_000n,
  getMilliseconds: (ns) => (ns / 1_000_000n) % 1000n,
};

export const TIME_FIELD_NAMES: readonly string[] = Object.keys(TIME_FIELDS);
export const isTimeField = (name: string): boolean => Object.hasOwn(TIME_FIELDS, name);

interface Field {
  readonly name: string;
  readonly ofTime: (localMs: number) => number;
  readonly ofDuration: ((ns: bigint) => bigint) | undefined;
  readonly in: InZone;
}

interface Naming {
  readonly name: string;
  readonly dear: DearParts;
}

/** `moment.getHours('Europe/Berlin')` and its kin. The zone is looked up once, when the policy arrives. */
export function timeFieldNode(expr: Expr, { name, dear }: Naming, values: readonly Node[]): Node {
  const [target, zone, ...rest] = values;
  const ofTime = TIME_FIELDS[name];
  const ofDuration = DURATION_FIELDS[name];
  if (target === undefined || ofTime === undefined || rest.length > 0)
    throw new CompileError(expr, `"${name}" is called on a time and takes at most a time zone`);
  const takes = ofDuration === undefined ? ['timestamp', 'dyn'] : ['timestamp', 'duration', 'dyn'];
  if (!takes.includes(target.type.name) || (zone !== undefined && target.type.name === 'duration'))
    throw new CompileError(expr, `There is no "${name}" for ${describeType(target.type)}`);
  const field: Field = {
    name,
    ofTime,
    ofDuration,
    in: zone === undefined ? { zone: UTC } : dear.zone(expr, zoneName(expr, zone)),
  };
  const { epochMs, run: runTarget } = target;
  const small: RunSmall =
    epochMs === undefined
      ? (scope) => {
          const value = runTarget(scope);
          return isError(value) ? value : fieldOf(field, value, scope.evaluation);
        }
      : (scope) => {
          const ms = epochMs(scope);
          return ms === null ? noOverload(name, null) : ofTime(ms + field.in.zone.offsetMs(ms, scope.evaluation));
        };
  return {
    type: INT,
    small,
    run(scope) {
      const value = small(scope);
      return typeof value === 'number' ? BigInt(value) : value;
    },
  };
}

function zoneName(expr: Expr, node: Node): string {
  const name = node.constant;
  if (typeof name !== 'string')
    throw new CompileError(expr, 'The time zone must be written out, as in "Europe/Berlin"');
  return name;
}

function fieldOf(
  { name, ofTime, ofDuration, in: { zone } }: Field,
  value: Value,
  meter: Meter,
): number | ExpressionError {
  if (value instanceof Timestamp) {
    const ms = Number(floorDiv(value.ns, 1_000_000n));
    meter.work -= FIELD_COST;
    return ofTime(ms + zone.offsetMs(ms, meter));
  }
  return value instanceof Duration && ofDuration !== undefined ? Number(ofDuration(value.ns)) : noOverload(name, value);
}
