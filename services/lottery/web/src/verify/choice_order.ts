/** Order in which an entry tries its choices (docs/spec/draw-2.md §7). */

import { sha256 } from "@noble/hashes/sha2.js";
import { utf8 } from "#shared/encoding.ts";
import type { Choices, EntryList } from "./entry_list.ts";
import { compareTickets, tickets } from "./tickets.ts";

/** Return the choices of the entry at this position, in the order of trying. */
export type ChoiceOrder = (at: number) => Choices;

const ID_BYTES = 16;

/** With preferences: as in the row. */
export function preferred(entries: EntryList): ChoiceOrder {
  return (at) => entries.choices(at);
}

/** Lots of one class for the entries that ask for it, by ascending position. */
interface Lots {
  readonly positions: Uint32Array;
  readonly lots: Uint8Array;
}

/** Without preferences: by ascending AES-256-ECB-decrypt(SHA-256(K ‖ class id), entry). */
export async function shuffled(key: Uint8Array, entries: EntryList): Promise<ChoiceOrder> {
  const byClass = new Map<string, Lots>();
  for (const name of entries.countByClass().keys()) byClass.set(name, await lotsOf(name, key, entries));
  return (at) => {
    const found = entries.choices(at).map((choice) => {
      const { positions, lots } = byClass.get(choice[0])!;
      return { choice, lots, index: indexOf(positions, at) };
    });
    return found.sort((one, other) => compareTickets(one.lots, one.index, other.lots, other.index)).map(({ choice }) => choice);
  };
}

async function lotsOf(name: string, key: Uint8Array, entries: EntryList): Promise<Lots> {
  const asks = entries.table.map((choices) => choices.some(([asked]) => asked === name));
  const positions = new Uint32Array(entries.countByClass().get(name) ?? 0);
  const ids = new Uint8Array(positions.length * ID_BYTES);
  let count = 0;
  for (let at = 0; at < entries.length; at++) {
    if (!asks[entries.lists[at]!]) continue;
    ids.set(entries.ids.subarray(at * ID_BYTES, (at + 1) * ID_BYTES), count * ID_BYTES);
    positions[count++] = at;
  }
  return { positions, lots: await tickets(sha256(new Uint8Array([...key, ...utf8(name)])) as Uint8Array<ArrayBuffer>, ids) };
}

/** Return the index of a value that the rising positions have. */
function indexOf(positions: Uint32Array, value: number): number {
  let [low, high] = [0, positions.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (positions[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
