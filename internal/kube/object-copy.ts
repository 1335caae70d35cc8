import { reasonOf } from './kube-error.ts';
import { type KubeObject, keyOf } from './kube-object.ts';

export interface CopyHandler {
  /** New, or another than before. A later list tells only what differs, so nothing is compiled twice. */
  readonly onApply: (object: KubeObject) => void;
  /** Gone, as it was last. One that was deleted and made anew is deleted here before it is applied. */
  readonly onDelete: (object: KubeObject) => void;
  /** One of the two above threw. It keeps no other object from being told, and comes again with the next list. */
  readonly onUnusable: (object: KubeObject, why: string) => void;
}

/** What was told of each object, so that a list tells only what differs from it. */
export class ObjectCopy {
  readonly #handler: CopyHandler;
  readonly #told = new Map<string, KubeObject>();
  /** Objects whose handler threw: they count as told for their deletion, and come again with the next list. */
  readonly #failed = new Set<string>();

  constructor(handler: CopyHandler) {
    this.#handler = handler;
  }

  apply(object: KubeObject): void {
    const key = keyOf(object);
    const known = this.#told.get(key);
    if (known !== undefined && known.metadata.uid !== object.metadata.uid) this.remove(known);
    else if (known?.metadata.resourceVersion === object.metadata.resourceVersion && !this.#failed.has(key)) return;
    this.#told.set(key, object);
    if (this.#tell(this.#handler.onApply, object)) this.#failed.delete(key);
    else this.#failed.add(key);
  }

  remove(object: KubeObject): void {
    const key = keyOf(object);
    if (!this.#told.delete(key)) return;
    this.#failed.delete(key);
    this.#tell(this.#handler.onDelete, object);
  }

  /** What is known and not among `found`. */
  *missing(found: ReadonlySet<string>): Iterable<KubeObject> {
    for (const [key, object] of this.#told) if (!found.has(key)) yield object;
  }

  /** One object that its handler cannot bear keeps no other from being told. */
  #tell(handler: (object: KubeObject) => void, object: KubeObject): boolean {
    try {
      handler(object);
      return true;
    } catch (error) {
      this.#handler.onUnusable(object, reasonOf(error));
      return false;
    }
  }
}
