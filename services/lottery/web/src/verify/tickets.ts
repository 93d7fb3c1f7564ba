/**
 * Tickets: AES-256-ECB-decrypt(K, entry). Browsers offer no ECB, but one CBC call decrypts many entries: CBC gives
 * D(c) xor the previous block, and the previous block is known. CBC needs a last block with valid padding, so one is made.
 */

const BLOCK = 16;
/** Blocks in one call: their copies take a few megabytes. */
const AT_ONCE = 65_536;

/** Compute the tickets of ids, 16 bytes each, in the order of the ids. */
export async function tickets(key: Uint8Array<ArrayBuffer>, ids: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const found = new Uint8Array(ids.length);
  const aes = await crypto.subtle.importKey("raw", key, "AES-CBC", false, ["encrypt", "decrypt"]);
  for (let start = 0; start < ids.length; start += AT_ONCE * BLOCK) {
    const part = ids.subarray(start, start + AT_ONCE * BLOCK);
    const plain = await decryptCbc(aes, part);
    for (let at = plain.length - 1; at >= BLOCK; at--) plain[at]! ^= part[at - BLOCK]!;
    found.set(plain, start);
  }
  return found;
}

/** Compare two tickets as big-endian numbers, by their positions in these buffers: below 0 if the first is lower. */
export function compareTickets(one: Uint8Array, at: number, other: Uint8Array, otherAt: number): number {
  for (let byte = 0; byte < BLOCK; byte++) {
    const difference = one[at * BLOCK + byte]! - other[otherAt * BLOCK + byte]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

async function decryptCbc(aes: CryptoKey, ids: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const last = ids.slice(-BLOCK);
  const padding = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-CBC", iv: last }, aes, new Uint8Array()));
  const whole = new Uint8Array(ids.length + BLOCK);
  whole.set(ids);
  whole.set(padding, ids.length);
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-CBC", iv: new Uint8Array(BLOCK) }, aes, whole));
}
