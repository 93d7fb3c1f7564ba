/** The frozen list in few bytes an entry: all ids in one buffer, and for each entry the number of its list of choices. */

import { hex } from "./hex.ts";

/** Class and seats of each choice, in order of preference. */
export type Choices = readonly (readonly [string, number])[];

const ID_BYTES = 16;

/** Entries in the order of the list: strictly increasing ids. Applicants choose few classes, so lists of choices are few. */
export class EntryList {
  /** `ids`: 16 bytes an entry; `lists`: for each entry the index of its choices in `table`. */
  constructor(
    readonly ids: Uint8Array<ArrayBuffer>,
    readonly lists: Uint32Array,
    readonly table: readonly Choices[],
  ) {}

  get length(): number {
    return this.lists.length;
  }

  /** Return the id of the entry at this position: 32 hex digits. */
  id(at: number): string {
    return hex(this.ids.subarray(at * ID_BYTES, (at + 1) * ID_BYTES));
  }

  choices(at: number): Choices {
    return this.table[this.lists[at]!]!;
  }

  /** Return the position of an id; -1 if the list does not have it. */
  find(id: string): number {
    const at = this.firstFrom(id);
    return at < this.length && this.id(at) === id ? at : -1;
  }

  /** Return the ids that begin with these hex digits. */
  withPrefix(prefix: string): readonly string[] {
    const found: string[] = [];
    for (let at = this.firstFrom(prefix); at < this.length && this.id(at).startsWith(prefix); at++) found.push(this.id(at));
    return found;
  }

  /** Return a list with one entry more. Its id must not be in this list. */
  with(id: Uint8Array, choices: Choices): EntryList {
    const at = this.firstFrom(hex(id));
    const ids = new Uint8Array(this.ids.length + ID_BYTES);
    ids.set(this.ids.subarray(0, at * ID_BYTES));
    ids.set(id, at * ID_BYTES);
    ids.set(this.ids.subarray(at * ID_BYTES), (at + 1) * ID_BYTES);
    const lists = new Uint32Array(this.length + 1);
    lists.set(this.lists.subarray(0, at));
    lists[at] = this.table.length;
    lists.set(this.lists.subarray(at), at + 1);
    return new EntryList(ids, lists, [...this.table, choices]);
  }

  /** Count the entries that ask for each class. */
  countByClass(): Map<string, number> {
    const times = new Float64Array(this.table.length);
    for (const list of this.lists) times[list]! += 1;
    const counted = new Map<string, number>();
    this.table.forEach((choices, list) => {
      if (times[list]! > 0) for (const [name] of choices) counted.set(name, (counted.get(name) ?? 0) + times[list]!);
    });
    return counted;
  }

  /** Return the first position whose id is not below this text. */
  private firstFrom(text: string): number {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.id(middle) < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
