import type { Log } from '../telemetry/log.ts';

/**
 * Namespaces that are served by name and are not there: the agent is ready, and serves nothing of them. Each is one line of
 * the log, and one more when it comes.
 */
export class AbsentNamespaces {
  readonly #log: Log;
  readonly #present = new Set<string>();
  readonly #said = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Its object is there. */
  came(name: string): void {
    this.#present.add(name);
    if (this.#said.delete(name)) this.#log.info('A namespace that is to be served is there now', { namespace: name });
  }

  /** All that there is was listed, or its object was deleted. */
  check(name: string): void {
    if (this.#present.has(name) || this.#said.has(name)) return;
    this.#said.add(name);
    this.#log.warn(
      `There is no namespace "${name}", of which --namespace has policies served: name another one, or kubectl create namespace ${name}`,
    );
  }

  went(name: string): void {
    this.#present.delete(name);
    this.check(name);
  }
}
