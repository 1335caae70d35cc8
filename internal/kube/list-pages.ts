import type { KubeConfig } from '@kubernetes/client-node';
import { kubeText, parseAnswer, pathOf, type Resource } from './client.ts';
import { GarbledError, KubeError } from './kube-error.ts';
import type { Timers } from './timers.ts';

/** What of a kind is read: one namespace or all, and by which selectors. */
export interface Scope {
  readonly config: KubeConfig;
  readonly resource: Resource;
  /** undefined: all namespaces, or a kind without them. */
  readonly namespace: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface Page {
  readonly items: readonly unknown[];
  /** Where a watch goes on after the last page: the same for all pages of one list. */
  readonly version: string;
}

const FIRST_PAGE = 100;
const MAX_PAGE = 500;
/** Some 5 ms of parsing: a page is parsed in one go, and checks wait for it. */
const PAGE_BYTES = 512 * 1024;
const TOO_LARGE = 413;
const TIMEOUT_MS = 60_000;

export const selectorsOf = ({ labelSelector, fieldSelector }: Scope): Readonly<Record<string, string>> => ({
  ...(labelSelector !== undefined && { labelSelector }),
  ...(fieldSelector !== undefined && { fieldSelector }),
});

/**
 * All objects of a scope as they were at one moment, page by page; large objects make smaller pages.
 *
 * @throws {KubeError} 410 when the list took so long that its moment is forgotten
 */
export async function* listPages(
  scope: Scope,
  how: { readonly signal: AbortSignal; readonly timers: Timers },
): AsyncGenerator<Page> {
  let limit = FIRST_PAGE;
  let next: string | undefined = '';
  while (next !== undefined) {
    const text = await tryPage(scope, { ...how, limit, next });
    if (text === undefined) {
      limit = Math.max(1, Math.floor(limit / 8));
      continue;
    }
    const { items, metadata } = readList(parseAnswer(text));
    yield { items, version: metadata.resourceVersion };
    next = metadata.continue === '' ? undefined : metadata.continue;
    limit = nextLimit(items.length, text.length);
  }
}

/** The resource version that the API server is at now. */
export async function currentVersion(
  scope: Scope,
  how: { readonly signal: AbortSignal; readonly timers: Timers },
): Promise<string> {
  return readList(parseAnswer(await askPage(scope, { ...how, limit: 1, next: '' }))).metadata.resourceVersion;
}

interface Ask {
  readonly signal: AbortSignal;
  readonly timers: Timers;
  readonly limit: number;
  readonly next: string;
}

/** undefined when the page is too large to be read, and could be smaller. */
async function tryPage(scope: Scope, ask: Ask): Promise<string | undefined> {
  try {
    return await askPage(scope, ask);
  } catch (error) {
    if (error instanceof KubeError && error.status === TOO_LARGE && ask.limit > 1) return undefined;
    throw error;
  }
}

function askPage(scope: Scope, { signal, timers, limit, next }: Ask): Promise<string> {
  const query = { limit: String(limit), ...(next !== '' && { continue: next }), ...selectorsOf(scope) };
  const path = pathOf(scope.resource, scope.namespace);
  return kubeText(scope.config, { method: 'GET', path, query, signal, timers, timeoutMs: TIMEOUT_MS });
}

function nextLimit(count: number, bytes: number): number {
  if (count === 0) return FIRST_PAGE;
  return Math.max(1, Math.min(MAX_PAGE, Math.floor((count * PAGE_BYTES) / bytes)));
}

interface List {
  readonly items: readonly unknown[];
  readonly metadata: { readonly continue?: string; readonly resourceVersion: string };
}

function readList(value: unknown): List {
  const { items, metadata } = (value ?? {}) as Partial<List>;
  // An empty list is `null` in Go, and never a reason to forget what is known unless it says so itself.
  if (
    !(Array.isArray(items) || items === null) ||
    typeof metadata?.resourceVersion !== 'string' ||
    metadata.resourceVersion === ''
  )
    throw new GarbledError('The API server answered with something that is not a list');
  return { items: items ?? [], metadata };
}
