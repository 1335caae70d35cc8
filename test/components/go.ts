import { onPath } from '../../internal/envoy/on-path.ts';
import { run } from './cache.ts';

export interface GoBuild {
  /** Holds a `go.mod` of our own. */
  readonly folder: string;
  /** An import path, or `.`. */
  readonly program: string;
  /** For the linker. */
  readonly flags: string;
  /** The file to write. */
  readonly to: string;
}

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export async function goProgram(): Promise<string> {
  const go = await onPath('go', process.env.PATH ?? '');
  if (go === undefined) throw new Error('there is no "go" on PATH to build it with');
  return go;
}

/**
 * A person's own flags do not count; a Go that is too old fetches the one that `go.mod` names; and the repository
 * around the cache is not looked at (`-buildvcs`), which fails where it belongs to somebody else.
 */
export const goEnvironment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  GOFLAGS: '-mod=mod -buildvcs=false',
  GOTOOLCHAIN: 'auto',
  GOWORK: 'off',
});

/** Completes `go.mod`, then builds. Call it under the lock "go": one build at a time is all a small machine can do. */
export async function goBuild({ folder, program, flags, to }: GoBuild): Promise<void> {
  const go = await goProgram();
  const options = { cwd: folder, env: goEnvironment(), maxBuffer: MAX_OUTPUT_BYTES };
  await run(go, ['mod', 'tidy'], options);
  await run(go, ['build', '-ldflags', flags, '-o', to, program], options);
}
