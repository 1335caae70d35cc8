import { gunzipSync, gzipSync } from 'node:zlib';
import { member } from '../core/member.ts';
import { parseStrictJson } from '../core/strict-json.ts';
import type { Default } from '../policy/baselines/defaults.ts';
import type { SourceObject } from '../policy/object.ts';
import type { RecordedSpec } from '../policy/recorded-spec.ts';
import { isClusterScoped } from '../policy/resource/kinds.ts';

/** The last spec of a policy that was accepted, as its status carries it across restarts. */
export interface AcceptedSpec {
  readonly generation: number;
  /** gzip of the JSON of `Packed`, in base64. */
  readonly spec: string;
}

/** The uid is part of it: one that is copied to another object, or restored with one made anew, is not that one's. */
interface Packed {
  readonly uid: string;
  readonly spec: unknown;
  /** The spec holds what baselines gave it as well; older agents left that out. */
  readonly isFilled?: true;
}

/** What an API server takes in of an object, with its status, leaves less than this to a spec. */
const MAX_BYTES = 1_048_576;
/** More than the CRD lets a spec have; counted as `parseStrictJson` does. */
const MAX_VALUES = 65_536;
/** What the CRD bounds the text by: a longer one would have the whole status refused. */
const MAX_TEXT = 1_000_000;

/**
 * Packs a spec as it was accepted. What baselines gave a policy is part of that: an agent that starts after they changed
 * serves what those do that were running.
 *
 * @param given undefined for a kind that nothing is given
 * @returns undefined for a spec that could not be read back: it is too large
 */
export function packSpec(
  { metadata: { uid, generation }, spec }: SourceObject,
  given?: readonly Default[],
): AcceptedSpec | undefined {
  const sections = Object.fromEntries((given ?? []).map(({ section, value }) => [section, value]));
  const packed: Packed = { uid, spec: { ...(spec ?? {}), ...sections }, ...(given && { isFilled: true }) };
  const json = Buffer.from(JSON.stringify(packed), 'utf8');
  if (json.length > MAX_BYTES || !parseStrictJson(json, MAX_VALUES).ok) return undefined;
  const text = gzipSync(json).toString('base64');
  return text.length > MAX_TEXT ? undefined : { generation, spec: text };
}

/**
 * Reads `status.accepted` back, unless it is of a newer generation than the object's own. Who may write a status may write
 * anything there, so it is bounded while it is inflated and before anything is made of its values, and the spec that
 * comes out has to be checked like any other.
 *
 * @param className whose entry counts on a kind that every class reads
 * @returns undefined for what was not packed here, or for another object
 */
export function unpackSpec({ kind, metadata, status }: SourceObject, className: string): RecordedSpec | undefined {
  const accepted = member(isClusterScoped(kind) ? entryOf(status, className) : status, 'accepted');
  const { generation, spec: text } = (accepted ?? {}) as { readonly generation?: unknown; readonly spec?: unknown };
  if (typeof generation !== 'number' || !Number.isSafeInteger(generation)) return undefined;
  if (generation < 1 || generation > metadata.generation) return undefined;
  if (typeof text !== 'string' || text.length > MAX_TEXT) return undefined;
  try {
    const json = gunzipSync(Buffer.from(text, 'base64'), { maxOutputLength: MAX_BYTES });
    const parsed = parseStrictJson(json, MAX_VALUES);
    if (!parsed.ok) return undefined;
    const { uid, spec, isFilled } = parsed.value as Packed;
    return uid === metadata.uid ? { generation, spec, ...(isFilled === true && { isFilled }) } : undefined;
  } catch {
    return undefined;
  }
}

function entryOf(status: unknown, className: string): unknown {
  const instances = member(status, 'instances');
  return Array.isArray(instances) ? instances.find((entry) => member(entry, 'className') === className) : undefined;
}
