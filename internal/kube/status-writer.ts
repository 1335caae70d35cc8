import type { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../core/clock.ts';
import { KubeError, kubeCall, pathOf, type Resource } from './client.ts';

/** A status as it should be on the API server. */
export interface DesiredStatus {
  readonly resource: Resource;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly status: object;
}

export interface StatusWriterOptions {
  readonly config: KubeConfig;
  /** Who owns the fields; one for each instance class. */
  readonly fieldManager: string;
  readonly clock: Clock;
  readonly onWrite: (result: 'success' | 'failure', why?: string) => void;
}

/** Most writes a second, and the burst that may come at once. */
const WRITES_PER_S = 20;
const RETRY_MS = 2000;

/** Writes statuses by server-side apply: the newest for each object, a bounded number a second, one after the other. */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #wanted = new Map<string, DesiredStatus>();
  #tokens = WRITES_PER_S;
  #refilledMs: number;
  #isWriting = false;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    this.#refilledMs = options.clock.monotonicMs();
  }

  get waiting(): number {
    return this.#wanted.size;
  }

  want(status: DesiredStatus): void {
    this.#wanted.set(`${status.kind}/${status.namespace}/${status.name}`, status);
    if (!this.#isWriting && this.#timer === undefined) void this.#drain();
  }

  /** Forgets what is not written yet: somebody else writes now. */
  clear(): void {
    this.#wanted.clear();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#wanted.clear();
  }

  async #drain(): Promise<void> {
    this.#isWriting = true;
    for (const [key, status] of this.#wanted) {
      if (this.#isStopped) break;
      const waitMs = this.#takeToken();
      if (waitMs > 0) {
        this.#later(waitMs);
        break;
      }
      this.#wanted.delete(key);
      if (!(await this.#write(status))) {
        if (!this.#wanted.has(key)) this.#wanted.set(key, status);
        this.#later(RETRY_MS);
        break;
      }
    }
    this.#isWriting = false;
  }

  #later(waitMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#drain();
    }, waitMs);
  }

  /** Milliseconds until there is a token; 0 when one was taken. */
  #takeToken(): number {
    const nowMs = this.#options.clock.monotonicMs();
    this.#tokens = Math.min(WRITES_PER_S, this.#tokens + ((nowMs - this.#refilledMs) * WRITES_PER_S) / 1000);
    this.#refilledMs = nowMs;
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) * 1000) / WRITES_PER_S);
    this.#tokens -= 1;
    return 0;
  }

  /** @returns whether it is done with: written, or about an object that is gone */
  async #write({ resource, apiVersion, kind, namespace, name, status }: DesiredStatus): Promise<boolean> {
    const { config, fieldManager, onWrite } = this.#options;
    try {
      await kubeCall(config, {
        method: 'PATCH',
        path: `${pathOf(resource, namespace, name)}/status`,
        query: { fieldManager, force: 'true' },
        contentType: 'application/apply-patch+yaml',
        body: { apiVersion, kind, metadata: { name, namespace }, status },
      });
      onWrite('success');
      return true;
    } catch (error) {
      const isFinal =
        error instanceof KubeError &&
        error.status >= 400 &&
        error.status < 500 &&
        error.status !== 429 &&
        error.status !== 409;
      onWrite('failure', `${kind} ${namespace}/${name}: ${error instanceof Error ? error.message : String(error)}`);
      return isFinal;
    }
  }
}
