import type { Shape } from './content-limits.ts';

const AMPERSAND = 0x26;
const SEMICOLON = 0x3b;

/** Measures a form: each of `&` and `;` parts parameters for some reader, empty ones count. */
export function formShape(bytes: Uint8Array | string): Shape {
  let parameters = 1;
  for (let i = 0; i < bytes.length; i += 1) {
    const code = typeof bytes === 'string' ? bytes.charCodeAt(i) : bytes[i];
    if (code === AMPERSAND || code === SEMICOLON) parameters += 1;
  }
  return { parameters };
}
