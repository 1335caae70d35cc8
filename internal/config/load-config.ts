import { readFileSync } from 'node:fs';
import type { Config } from './config.ts';
import { variableOf } from './option.ts';
import { OPTION_NAMES, optionOf } from './options.ts';
import { fromPathBase, pathProblem } from './paths.ts';
import { type ConfigResult, readConfig } from './read-config.ts';
import { fromVariables } from './sources.ts';

/** The configuration of this process: its flags, its environment, its file. The one place that reads `process.env`. */
export function loadConfig(flags: Readonly<Record<string, string | boolean>>): ConfigResult {
  const result = readConfig({
    flags: withPaths(flags, (name) => name),
    env: withPaths(process.env, variableOf),
    readFile: readOptionFile,
  });
  if (!result.ok) return result;
  const problems = missingPaths(result.config);
  return problems.length === 0 ? result : { ok: false, problems };
}

/** What is wrong with the names and the emptiness of this process' `POSTERN_*` variables, whatever they are for. */
export function variableProblems(): readonly string[] {
  const problems: string[] = [];
  fromVariables(process.env, problems);
  return problems;
}

/** Paths of flags and variables count from where they were typed. */
function withPaths<V>(given: Readonly<Record<string, V>>, keyOf: (name: string) => string): Record<string, V | string> {
  const resolved: Record<string, V | string> = { ...given };
  for (const name of OPTION_NAMES) {
    const key = keyOf(name);
    const value = given[key];
    if (optionOf(name).isPath === true && typeof value === 'string' && value !== '')
      resolved[key] = fromPathBase(value);
  }
  return resolved;
}

function readOptionFile(path: string): string {
  const problem = pathProblem(path, 'file');
  if (problem !== undefined) throw new Error(problem);
  return readFileSync(path, 'utf8');
}

/** Said before anything starts, with the flag that names the path. */
function missingPaths({ source, tls, sidecar }: Config): readonly string[] {
  const isFiles = source.kind === 'directory';
  const wanted = [
    { flag: 'policies', path: isFiles ? source.directory : undefined, kind: 'directory' },
    { flag: 'kubeconfig', path: isFiles ? undefined : source.kubeconfig, kind: 'file' },
    { flag: 'workload-labels', path: sidecar?.kind === 'agent' ? sidecar.labelsFile : undefined, kind: 'file' },
    { flag: 'tls-cert', path: tls?.certFile, kind: 'file' },
    { flag: 'tls-key', path: tls?.keyFile, kind: 'file' },
    { flag: 'client-ca', path: tls?.clientCaFile, kind: 'file' },
  ] as const;
  return wanted.flatMap(({ flag, path, kind }) => {
    const problem = path === undefined ? undefined : pathProblem(path, kind);
    return problem === undefined ? [] : [`--${flag}: ${problem}`];
  });
}

/** The variables that OpenTelemetry and its SDK read by their own standard; `POSTERN_*` ones are `readConfig`'s. */
export function otelVariables(): Readonly<Record<string, string | undefined>> {
  return Object.freeze(Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('OTEL_'))));
}
