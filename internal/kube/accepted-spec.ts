import { gunzipSync, gzipSync } from 'node:zlib';

/** The last spec of a policy that was accepted, as its status carries it across restarts. */
export interface AcceptedSpec {
  readonly generation: number;
  /** gzip of its JSON, in base64. */
  readonly spec: string;
}

const MAX_BYTES = 2 * 1024 * 1024;
/** gzip makes nothing longer than this out of what is allowed. */
const MAX_PACKED = MAX_BYTES + 64 * 1024;

/** @returns undefined for a spec that could not be read back: it is too large */
export function packSpec(spec: unknown): string | undefined {
  const json = Buffer.from(JSON.stringify(spec ?? {}), 'utf8');
  return json.length > MAX_BYTES ? undefined : gzipSync(json).toString('base64');
}

/**
 * Reads `status.accepted` back. Who may write a status may write anything there, so it is bounded while it is inflated,
 * and the spec that comes out has to be checked like any other.
 *
 * @returns undefined for what was not packed here
 */
export function unpackSpec(accepted: unknown): { readonly generation: number; readonly spec: unknown } | undefined {
  const { generation, spec } = (accepted ?? {}) as { readonly generation?: unknown; readonly spec?: unknown };
  if (typeof generation !== 'number' || !Number.isSafeInteger(generation) || generation < 1) return undefined;
  if (typeof spec !== 'string' || spec.length > (MAX_PACKED * 4) / 3) return undefined;
  try {
    const json = gunzipSync(Buffer.from(spec, 'base64'), { maxOutputLength: MAX_BYTES }).toString('utf8');
    return { generation, spec: JSON.parse(json) as unknown };
  } catch {
    return undefined;
  }
}
