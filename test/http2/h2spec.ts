import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isProgram } from '../../internal/envoy/on-path.ts';
import { CACHE, type Obtained, obtain, progress, run } from '../components/cache.ts';
import { goBuild } from '../components/go.ts';

const VERSION = '2.2.1';
const HOME = join(CACHE, `h2spec-${VERSION}`);
const BINARY = join(HOME, 'h2spec');
const MODULE = `module h2spec

go 1.26

require github.com/summerwind/h2spec v${VERSION}+incompatible

tool github.com/summerwind/h2spec/cmd/h2spec
`;

/** h2spec, the conformance suite of HTTP/2 and HPACK, built from its module the first time. */
export function obtainH2spec(): Promise<Obtained> {
  const find = async (): Promise<string | undefined> => ((await isProgram(BINARY)) ? BINARY : undefined);
  return obtain({ title: 'h2spec', lock: 'go', find, make });
}

async function make(): Promise<void> {
  progress('Building h2spec …');
  await mkdir(HOME, { recursive: true });
  await writeFile(join(HOME, 'go.mod'), MODULE);
  const to = `${BINARY}.new`;
  await goBuild({ folder: HOME, program: 'github.com/summerwind/h2spec/cmd/h2spec', flags: '-s -w', to });
  await rename(to, BINARY);
}

export interface H2specResult {
  readonly passed: number;
  readonly skipped: number;
  readonly failed: number;
  /** What it says of each test that failed. */
  readonly failures: string;
}

const SECTIONS = ['generic', 'http2', 'hpack'] as const;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** Runs its generic, http2 and hpack sections against a server on a port of this machine. */
export async function runH2spec(program: string, port: number): Promise<H2specResult> {
  const args = [...SECTIONS, '-h', '127.0.0.1', '-p', String(port), '-o', '2'];
  const said = await run(program, args, { maxBuffer: MAX_OUTPUT_BYTES }).then(
    ({ stdout }) => stdout,
    // It ends with 1 where a test failed.
    (error: { readonly stdout?: string }) => error.stdout ?? '',
  );
  const [, passed, skipped, failed] = /(\d+) passed, (\d+) skipped, (\d+) failed/.exec(said) ?? [];
  if (passed === undefined) throw new Error(`h2spec did not run to its end: ${said.slice(-500)}`);
  const failures = said.slice(said.indexOf('Failures:'));
  return { passed: Number(passed), skipped: Number(skipped), failed: Number(failed), failures };
}
