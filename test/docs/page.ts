import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const ROOT = join(import.meta.dirname, '../..');

export const readPage = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

/** The one block of a language on a page that holds this text. */
export function blockOf(page: string, language: string, holding: string): string {
  const blocks = [...readPage(page).matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))];
  const found = blocks.map(([, text = '']) => text).filter((text) => text.includes(holding));
  assert.equal(found.length, 1, `${page}: ${found.length} blocks of ${language} with "${holding}"`);
  return found[0] ?? '';
}

/** The same, read as one YAML document of whatever shape the test knows it to have. */
export const yamlOf = <T>(page: string, holding: string): T => parse(blockOf(page, 'yaml', holding)) as T;
