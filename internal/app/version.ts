import { readFileSync } from 'node:fs';

/** The version in package.json, which lies two folders up from here and from the bundle alike. */
export const VERSION = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
