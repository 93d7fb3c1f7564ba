/** Checks of the beacon against the manifest, and the draw key (docs/protocols.md §2, "Randomness"). */

import { bls12_381 } from "@noble/curves/bls12-381.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8 } from "#shared/encoding.ts";
import { instant, type Instant } from "./instants.ts";
import type { BeaconRound, Manifest } from "./manifest.ts";
import { OWN_CHAIN, QUICKNET } from "./quicknet.ts";
import { unhex } from "./hex.ts";

const TAG = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";

export function beaconIsValid(manifest: Manifest, signature: unknown): boolean {
  const { beacon } = manifest;
  if (!isOwnChain(manifest) && (beacon.chain !== QUICKNET.chain || beacon.publicKey !== QUICKNET.publicKey)) return false;
  return typeof signature === "string" && /^[0-9a-f]{96}$/u.test(signature) && verifyBeacon(signature, beacon.publicKey, beacon.round);
}

/** Return true for a rehearsal's chain: the owner of its key knows every value, so the draw proves nothing. */
export function isOwnChain(manifest: Manifest): boolean {
  return manifest.beacon.chain === OWN_CHAIN;
}

/** Return true if the round was published after the freeze and after the end of objections. */
export function beaconWasUnknown(manifest: Manifest): boolean {
  return roundInstant(manifest.beacon) > Math.max(instant(manifest.frozenAt), manifest.objectionsUntil);
}

/** Return the time at which a round is published. */
export function roundInstant({ genesis_s, period_s, round }: BeaconRound): Instant {
  return (genesis_s + (round - 1) * period_s) * 1_000_000;
}

/** Verify a round's signature. The message is SHA-256 of the round number as 8 bytes, big-endian. */
export function verifyBeacon(signature: string, publicKey: string, round: number): boolean {
  const number = new Uint8Array(8);
  new DataView(number.buffer).setBigUint64(0, BigInt(round));
  const { shortSignatures } = bls12_381;
  try {
    return shortSignatures.verify(unhex(signature), shortSignatures.hash(sha256(number), TAG), unhex(publicKey));
  } catch {
    return false; // not points of the curve
  }
}

export function drawKey(manifest: string, dice: string | null, signature: string | null): Uint8Array<ArrayBuffer> {
  return sha256(utf8(`${manifest}\n${dice ?? ""}\n${signature ?? ""}\n`)) as Uint8Array<ArrayBuffer>;
}
