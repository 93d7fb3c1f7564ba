/** Sealing for the vault alone: HPKE (RFC 9180) base mode, as docs/protocols.md §1 has it. */

import { KEM_MLKEM768_X25519 } from "@panva/hpke-noble";
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256 } from "hpke";
import { b64url, utf8 } from "#shared/encoding.ts";
import type { CheckedKey } from "./key_document.ts";

const FIRST = "kuji/application/1";
const LATER = "kuji/version/2";

/** Place in which sealed content opens: an application id, and the number of the version, from 1. */
export interface SealedPlace {
  readonly application_id: string;
  readonly version: number;
}

/** Seal `content` as JSON in UTF-8; return base64url. It opens only under this id and as this version. */
export async function seal(content: unknown, place: SealedPlace, key: CheckedKey): Promise<string> {
  const suite = new CipherSuite(KEM_MLKEM768_X25519, KDF_HKDF_SHA256, AEAD_AES_256_GCM);
  const publicKey = await suite.DeserializePublicKey(key.publicKey);
  const info = utf8(infoParts(place, key).join("\0"));
  const { encapsulatedSecret, ciphertext } = await suite.Seal(publicKey, utf8(JSON.stringify(content)), { info });
  return b64url(new Uint8Array([...encapsulatedSecret, ...ciphertext]));
}

function infoParts({ application_id, version }: SealedPlace, { campaign, keyId }: CheckedKey): readonly string[] {
  if (version === 1) return [FIRST, campaign, keyId, application_id];
  return [LATER, campaign, keyId, application_id, String(version)];
}
