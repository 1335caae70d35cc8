import { AgeOrder } from './age-order.ts';
import { compareAge, objectKey, type SourceObject } from './object.ts';
import { PolicyRecord } from './policy-record.ts';

/** The policies of one class, each with its past. */
export class PolicyRecords {
  readonly #className: string;
  readonly #records = new Map<string, PolicyRecord>();
  readonly #byAge = new AgeOrder<PolicyRecord>();

  constructor(className: string) {
    this.#className = className;
  }

  apply(object: SourceObject): void {
    const key = objectKey(object.metadata);
    const spec = object.spec as { readonly className?: unknown } | undefined;
    const record = this.#records.get(key);
    if ((spec?.className ?? 'postern') !== this.#className) {
      this.#forget(key);
      return;
    }
    const isKnown = record !== undefined && record.object.metadata.uid === object.metadata.uid;
    if (isKnown && compareAge(record.object.metadata, object.metadata) === 0) {
      record.object = object;
      return;
    }
    this.#forget(key);
    // Deleted and made anew under its old name is another policy: it inherits no last good spec.
    const next = isKnown ? record : new PolicyRecord(object);
    next.object = object;
    this.#records.set(key, next);
    this.#byAge.add(next);
  }

  delete(meta: { readonly namespace: string; readonly name: string }): void {
    this.#forget(objectKey(meta));
  }

  has(meta: { readonly namespace: string; readonly name: string }): boolean {
    return this.#records.has(objectKey(meta));
  }

  /** Older first, as they are now. */
  list(): readonly PolicyRecord[] {
    return this.#byAge.list();
  }

  #forget(key: string): void {
    const record = this.#records.get(key);
    if (record === undefined) return;
    this.#records.delete(key);
    this.#byAge.remove(record);
  }
}
