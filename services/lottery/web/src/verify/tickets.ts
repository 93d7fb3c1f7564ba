/**
 * Tickets: AES-256-ECB-decrypt(K, entry). Browsers offer no ECB, but one CBC call decrypts all entries: CBC gives
 * D(c) xor the previous block, and the previous block is known. CBC needs a last block with valid padding, so one is made.
 */

import { hex, unhex, type Entry } from "./rows.ts";

const BLOCK = 16;

/** Compute the tickets in hex, in the order of the entries. */
export async function tickets(key: Uint8Array<ArrayBuffer>, entries: readonly Entry[]): Promise<string[]> {
  if (entries.length === 0) return [];
  const ids = new Uint8Array(entries.length * BLOCK);
  entries.forEach((entry, at) => ids.set(unhex(entry.id), at * BLOCK));
  const plain = await decryptCbc(key, ids);
  for (let at = plain.length - 1; at >= BLOCK; at--) plain[at]! ^= ids[at - BLOCK]!;
  return entries.map((_, at) => hex(plain.subarray(at * BLOCK, (at + 1) * BLOCK)));
}

async function decryptCbc(key: Uint8Array<ArrayBuffer>, ids: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const aes = await crypto.subtle.importKey("raw", key, "AES-CBC", false, ["encrypt", "decrypt"]);
  const last = ids.slice(-BLOCK);
  const padding = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-CBC", iv: last }, aes, new Uint8Array()));
  const whole = new Uint8Array(ids.length + BLOCK);
  whole.set(ids);
  whole.set(padding, ids.length);
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-CBC", iv: new Uint8Array(BLOCK) }, aes, whole));
}
