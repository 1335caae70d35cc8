import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, it } from 'node:test';

const ROOT = resolve(import.meta.dirname, '..');
const PAGES = globSync(
  ['*.md', 'docs/**/*.md', 'policies/*.md', 'deploy/helm/**/*.md', 'internal/**/*.md', 'bench/*.md'],
  { cwd: ROOT },
);

/** Text outside of code: nothing in a block or between backticks is a link. */
const proseOf = (page: string): string =>
  readFileSync(join(ROOT, page), 'utf8')
    .replaceAll(/^```.*?^```$/gms, '')
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()#]/g, ''));

/** Names of a page's headings as GitHub makes them: lower case, no punctuation, blanks as hyphens. */
const anchorsOf = (page: string): readonly string[] =>
  [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );

/** Why a link leads nowhere; undefined where it leads somewhere, or out of the repository. */
function whyBroken(page: string, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return link.startsWith('https://') ? undefined : 'use https';
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? page : relative(ROOT, resolve(ROOT, dirname(page), file));
  if (target.startsWith('..')) return 'it leads out of the repository';
  if (!existsSync(join(ROOT, target))) return 'there is no such file';
  if (anchor === undefined || anchorsOf(target).includes(anchor)) return undefined;
  return `${target} has no such heading`;
}

describe('links between pages', () => {
  it('lead to files and headings that are there', () => {
    const links = PAGES.flatMap((page) =>
      [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => ({ page, link })),
    );
    assert.ok(links.length > 50, 'links are found');
    const broken = links.flatMap(({ page, link }) => {
      const why = whyBroken(page, link);
      return why === undefined ? [] : [`${page}: ${link}: ${why}`];
    });
    assert.deepEqual(broken, []);
  });

  it('are noticed when they are broken', () => {
    const links = ['docs/nowhere.md', 'docs/envoy.md#nowhere', '../up.md', 'http://example.org', '#nowhere'];
    assert.deepEqual(
      links.map((link) => whyBroken('README.md', link) !== undefined),
      [true, true, true, true, true],
    );
    assert.equal(whyBroken('README.md', 'docs/envoy.md#what-postern-has-to-be-told'), undefined);
  });

  it('lead from the README to every page of docs', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const pages = PAGES.filter((page) => page.startsWith('docs/'));
    assert.deepEqual(
      pages.filter((page) => !readme.includes(`](${page})`)),
      [],
    );
  });
});
