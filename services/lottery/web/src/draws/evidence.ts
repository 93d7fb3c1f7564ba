/** Hash that names a photograph or recording in the public record. The file itself stays on the device. */

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** Return `sha256:` and 64 hex digits. Reads piece by piece, so that a recording of an hour does not fill the memory. */
export async function hashFile(file: Blob): Promise<string> {
  const hash = sha256.create();
  const reader = file.stream().getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    hash.update(piece.value);
  }
  return `sha256:${bytesToHex(hash.digest())}`;
}
