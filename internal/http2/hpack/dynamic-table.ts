/** A field that a later block can name by its index. */
export interface TableField {
  readonly name: string;
  /** What the decoder's owner wants with fields of this name. */
  readonly slot: number;
  /** Empty where nobody wants it. */
  readonly value: string;
  /** Bytes of both, and 32 (RFC 7541 §4.1). */
  readonly size: number;
}

/** What an entry counts besides its bytes. */
export const ENTRY_OVERHEAD = 32;

/** The fields that a peer had remembered, the newest first, up to a size (RFC 7541 §2.3.2, §4). */
export class DynamicTable {
  #entries: (TableField | undefined)[] = new Array(16).fill(undefined);
  /** Where the next one goes; those before it, wrapped around, are older and older. */
  #next = 0;
  #count = 0;
  #size = 0;
  #maxSize: number;

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  get size(): number {
    return this.#size;
  }

  /** @param age 0 for the newest */
  get(age: number): TableField | undefined {
    if (age >= this.#count) return undefined;
    return this.#entries[(this.#next - 1 - age) & (this.#entries.length - 1)];
  }

  resize(maxSize: number): void {
    this.#maxSize = maxSize;
    this.#evictTo(maxSize);
  }

  /** One that is larger than the table leaves it empty, and is no error. */
  insert(field: TableField): void {
    this.#evictTo(this.#maxSize - field.size);
    if (field.size > this.#maxSize) return;
    if (this.#count === this.#entries.length) this.#grow();
    this.#entries[this.#next] = field;
    this.#next = (this.#next + 1) & (this.#entries.length - 1);
    this.#count += 1;
    this.#size += field.size;
  }

  #evictTo(size: number): void {
    while (this.#count > 0 && this.#size > size) {
      const oldest = (this.#next - this.#count) & (this.#entries.length - 1);
      this.#size -= this.#entries[oldest]?.size ?? 0;
      this.#entries[oldest] = undefined;
      this.#count -= 1;
    }
  }

  #grow(): void {
    const kept = Array.from({ length: this.#count }, (_, i) => this.get(this.#count - 1 - i));
    this.#entries = [...kept, ...new Array(this.#count).fill(undefined)];
    this.#next = this.#count;
  }
}
