/** Whose receipt number it is, from the list alone: a number is made from the entry's id (docs/protocols.md §0). */

import { sha256 } from "@noble/hashes/sha2.js";
import { unhex, type Entry } from "./rows.ts";

const SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** Of Crockford's 37 check characters the last five are hard to read out: such a number is passed over. */
const [CHECKS, READABLE] = [37, 32];

/**
 * The one entry that `receipt` (`W-7K3M-9Q2P-6`) belongs to. Null where none does, or where two would share it: only the
 * office knows which of them had to take another.
 */
export function entryOfReceipt(receipt: string, entries: readonly Entry[]): string | null {
  const wanted = valueOf(receipt.slice(2, 6) + receipt.slice(7, 11));
  const found = entries.filter((entry) => first(unhex(entry.id)) === wanted);
  return found.length === 1 ? found[0]!.id : null;
}

/** The first 40 bits of SHA-256(id ‖ counter), with the lowest counter whose check character is readable. */
function first(id: Uint8Array): number {
  const message = new Uint8Array(20);
  message.set(id);
  for (let counter = 0; ; counter++) {
    new DataView(message.buffer).setUint32(16, counter);
    const value = sha256(message).subarray(0, 5).reduce((sum, byte) => sum * 256 + byte, 0);
    if (value % CHECKS < READABLE) return value;
  }
}

function valueOf(symbols: string): number {
  return Array.from(symbols).reduce((sum, symbol) => sum * 32 + SYMBOLS.indexOf(symbol), 0);
}
