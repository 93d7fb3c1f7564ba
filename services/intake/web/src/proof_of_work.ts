/** Solve proof of work, which intake requires only under attack (docs/protocols.md §1, `work-required`). */

import { sha256 } from "@noble/hashes/sha2.js";
import { utf8 } from "#shared/encoding.ts";
import type { SentVersion } from "#shared/receipt_documents.ts";

/** Attempts between two pauses, so that the page stays responsive on an old phone. */
const STRIDE = 2_000;

/** Return the first nonce whose SHA-256 begins with `bits` zero bits: 2^bits attempts on average, with pauses. */
export async function solve(campaign: string, sent: Pick<SentVersion, "application_id" | "sealed">, bits: number): Promise<number> {
  const prefix = sha256.create().update(utf8(["kuji/proof-of-work/1", campaign, sent.application_id, sent.sealed, ""].join("\0")));
  for (let nonce = 0; ; nonce++) {
    if (leadingZeroBits(prefix.clone().update(utf8(String(nonce))).digest()) >= bits) return nonce;
    if (nonce % STRIDE === STRIDE - 1) await new Promise((resolve) => setTimeout(resolve));
  }
}

/** Return the number of zero bits at the beginning. */
export function leadingZeroBits(digest: Uint8Array): number {
  const index = digest.findIndex((byte) => byte !== 0);
  return index < 0 ? 8 * digest.length : 8 * index + Math.clz32(digest[index] ?? 0) - 24;
}
