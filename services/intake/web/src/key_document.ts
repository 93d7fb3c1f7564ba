/** Check the vault's key document before sealing with its key (docs/protocols.md §1). */

import { ed25519 } from "@noble/curves/ed25519.js";
import { canonical, unb64url, utf8 } from "#shared/encoding.ts";

export const SUITE = "MLKEM768-X25519/HKDF-SHA256/AES-256-GCM";
/** ML-KEM-768 key (1184 bytes) ‖ X25519 key (32 bytes). */
const KEY_BYTES = 1184 + 32;

export interface CheckedKey {
  readonly campaign: string;
  readonly keyId: string;
  readonly publicKey: Uint8Array<ArrayBuffer>;
}

/** Reason for refusing a document: not signed by the vault, for another campaign or suite, or expired. */
export type KeyRefusal = "signature" | "campaign" | "suite" | "expired";

/** Thrown when a key document is refused. */
export class KeyRefusedError extends Error {
  constructor(readonly refusal: KeyRefusal) {
    super(refusal);
  }
}

/**
 * Return the key of a document. `pinned`: the vault's public signing keys (base64url, a blank between two) in the page.
 * `now`: time by the office's clock. Throws KeyRefusedError.
 */
export function checkKey(document: unknown, campaign: string, pinned: string, now: Date): CheckedKey {
  const { signature, ...members } = flat(document);
  if (!isSigned(members, signature, pinned)) throw new KeyRefusedError("signature");
  if (members["v"] !== 1 || members["campaign"] !== campaign) throw new KeyRefusedError("campaign");
  const publicKey = unb64url(String(members["public_key"]));
  if (members["suite"] !== SUITE || publicKey.length !== KEY_BYTES) throw new KeyRefusedError("suite");
  if (!(now < new Date(String(members["not_after"])))) throw new KeyRefusedError("expired");
  return { campaign, keyId: String(members["key_id"]), publicKey };
}

function flat(document: unknown): Record<string, unknown> {
  if (typeof document !== "object" || document === null || Array.isArray(document)) throw new KeyRefusedError("signature");
  return { ...document };
}

function isSigned(members: Record<string, unknown>, signature: unknown, pinned: string): boolean {
  return pinned.split(" ").some((key) => isSignedBy(members, signature, key));
}

function isSignedBy(members: Record<string, unknown>, signature: unknown, key: string): boolean {
  try {
    return ed25519.verify(unb64url(String(signature)), utf8(canonical(members)), unb64url(key), { zip215: false });
  } catch {
    return false;
  }
}
