/** Sealing for the vault alone: HPKE (RFC 9180) base mode, as docs/protocols.md §1 has it. */

import { KEM_MLKEM768_X25519 } from "@panva/hpke-noble";
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256 } from "hpke";
import { b64url, utf8 } from "#shared/encoding.ts";
import type { CheckedKey } from "./key_document.ts";

const INFO = "kuji/application/1";

/** Request body; it is sent again unchanged, so that intake recognises a repetition. */
export interface Sealed {
  readonly v: 1;
  readonly application_id: string;
  readonly key_id: string;
  readonly sealed: string;
}

/** Seal `content` as JSON in UTF-8. It is bound to the application id: under another id it cannot be opened. */
export async function seal(content: unknown, applicationId: string, key: CheckedKey): Promise<Sealed> {
  const suite = new CipherSuite(KEM_MLKEM768_X25519, KDF_HKDF_SHA256, AEAD_AES_256_GCM);
  const info = utf8([INFO, key.campaign, key.keyId, applicationId].join("\0"));
  const publicKey = await suite.DeserializePublicKey(key.publicKey);
  const { encapsulatedSecret, ciphertext } = await suite.Seal(publicKey, utf8(JSON.stringify(content)), { info });
  const bytes = new Uint8Array([...encapsulatedSecret, ...ciphertext]);
  return { v: 1, application_id: applicationId, key_id: key.keyId, sealed: b64url(bytes) };
}
