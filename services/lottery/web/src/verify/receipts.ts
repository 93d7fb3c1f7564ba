/** Entry of a receipt number, from the list alone: the number is derived from the entry's id (docs/protocols.md §0). */

import { sha256 } from "@noble/hashes/sha2.js";
import { unhex, type Entry } from "./rows.ts";

const SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** The last five of Crockford's 37 check characters are hard to read out, so numbers with them are skipped. */
const [CHECKS, READABLE] = [37, 32];

/**
 * Find the entry of `receipt` (`W-7K3M-9Q2P-6`). Null if there is none, or if two entries would have the number: only
 * the server knows which of them took another one.
 */
export function findEntryByReceipt(receipt: string, entries: readonly Entry[]): string | null {
  const wanted = symbolsValue(receipt.slice(2, 6) + receipt.slice(7, 11));
  const found = entries.filter((entry) => receiptValue(unhex(entry.id)) === wanted);
  return found.length === 1 ? found[0]!.id : null;
}

/** Compute the first 40 bits of SHA-256(id ‖ counter) with the lowest counter that gives a readable check character. */
function receiptValue(id: Uint8Array): number {
  const message = new Uint8Array(20);
  message.set(id);
  for (let counter = 0; ; counter++) {
    new DataView(message.buffer).setUint32(16, counter);
    const value = sha256(message).subarray(0, 5).reduce((sum, byte) => sum * 256 + byte, 0);
    if (value % CHECKS < READABLE) return value;
  }
}

function symbolsValue(symbols: string): number {
  return Array.from(symbols).reduce((sum, symbol) => sum * 32 + SYMBOLS.indexOf(symbol), 0);
}
