import { member } from '../core/member.ts';
import type { SourceObject } from './object.ts';
import { boundRole } from './unread-spec.ts';

/** Of any object; of each character of its spec as JSON: bytes, measured. */
const EACH = 1024;
const CHARACTER = 4;
/** Of each value of a role or binding, each segment of its paths and each name that it inherits: these become nodes. */
const PART = 512;

/** What a consumer, role or binding comes to. */
export interface Weight {
  readonly bytes: number;
  /** Roles that it defines, inherits or binds. */
  readonly names: readonly string[];
  /** Those of them that it inherits. */
  readonly inherits: readonly string[];
  readonly isConsumer: boolean;
}

/** What an object takes in memory, about. */
export function weigh(object: SourceObject): Weight {
  const { kind, metadata, spec } = object;
  const isConsumer = kind === 'APIConsumer';
  const text = textOf(spec);
  const inherits = kind === 'APIRole' ? inheritedBy(spec) : NO_NAMES;
  return {
    bytes: EACH + CHARACTER * text.length + (isConsumer ? 0 : PART * (partsIn(text) + inherits.length)),
    names: isConsumer ? NO_NAMES : [roleOf(object) ?? metadata.name, ...inherits],
    inherits,
    isConsumer,
  };
}

const NO_NAMES: readonly string[] = Object.freeze([]);

const roleOf = (object: SourceObject): string | undefined =>
  object.kind === 'APIRoleBinding' ? boundRole(object) : undefined;

function inheritedBy(spec: unknown): readonly string[] {
  const inherits = member(spec, 'inherits');
  if (!Array.isArray(inherits)) return NO_NAMES;
  return inherits.map((ref) => member(ref, 'name')).filter((name) => typeof name === 'string');
}

/** One that is nested too deeply to be written is refused when it is read, and takes nothing but its place. */
function textOf(spec: unknown): string {
  try {
    return JSON.stringify(spec ?? null);
  } catch {
    return '';
  }
}

/** Commas and slashes: of values, and of segments. */
function partsIn(text: string): number {
  let parts = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === COMMA || code === SLASH) parts += 1;
  }
  return parts;
}

const COMMA = 0x2c;
const SLASH = 0x2f;
