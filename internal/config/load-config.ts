import { readFileSync } from 'node:fs';
import { type ConfigResult, readConfig } from './read-config.ts';

/** The configuration of this process: its flags, its environment, its file. The one place that reads `process.env`. */
export function loadConfig(flags: Readonly<Record<string, string | boolean>>): ConfigResult {
  return readConfig({ flags, env: process.env, readFile: (path) => readFileSync(path, 'utf8') });
}

/** The variables that OpenTelemetry and its SDK read by their own standard; `POSTERN_*` ones are `readConfig`'s. */
export function otelVariables(): Readonly<Record<string, string | undefined>> {
  return Object.freeze(Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('OTEL_'))));
}
