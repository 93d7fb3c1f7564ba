/** Encode and decode hex for millions of ids. */

import { InvalidRecordError } from "./canonical.ts";

const PAIRS: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const VALUES: ReadonlyMap<string, number> = new Map(PAIRS.map((pair, byte) => [pair, byte]));

export function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += PAIRS[byte]!;
  return text;
}

/** Decode hex. Throws InvalidRecordError unless the text consists of pairs of lower-case digits. */
export function unhex(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(text.length / 2));
  for (let at = 0; at < bytes.length; at++) {
    const value = VALUES.get(text.slice(2 * at, 2 * at + 2));
    if (value === undefined) throw new InvalidRecordError("not hex");
    bytes[at] = value;
  }
  return bytes;
}
