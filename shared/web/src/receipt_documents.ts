/** Check receipt documents and compute their lines of the roll (docs/protocols.md §0), as shared/receipt_documents.py. */

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { canonical, hex, unb64url, utf8 } from "./encoding.ts";
import { normaliseReceipt } from "./receipts.ts";

const CONTEXT = "kuji/receipt/2";

/** Intake's signed statement that it holds exactly these sealed bytes. */
export interface ReceiptDocument {
  readonly v: 2;
  readonly campaign: string;
  readonly receipt: string;
  readonly application_id: string;
  readonly version: number;
  readonly sealed_sha256: string;
  readonly received_at: string;
  readonly key: string;
  readonly signature: string;
}

/** Version that a receipt document must confirm. `sealed`: base64url, as it was sent. */
export interface SentVersion {
  readonly campaign: string;
  readonly application_id: string;
  readonly version: number;
  readonly sealed: string;
}

/** Return the document if one of intake's keys signed it for exactly this version; null otherwise. */
export function checkReceipt(document: unknown, sent: SentVersion, publicKeys: readonly string[]): ReceiptDocument | null {
  if (!isReceipt(document, publicKeys)) return null;
  const isSame = document.campaign === sent.campaign && document.application_id === sent.application_id;
  const isWhole = document.version === sent.version && document.sealed_sha256 === hex(sha256(unb64url(sent.sealed)));
  return isSame && isWhole ? document : null;
}

function isReceipt(document: unknown, publicKeys: readonly string[]): document is ReceiptDocument {
  return publicKeys.some((publicKey) => isReceiptOf(publicKey, document));
}

/** Return true if this key signed the receipt document. `publicKey`: intake's, base64url. */
export function isReceiptOf(publicKey: string, document: unknown): document is ReceiptDocument {
  try {
    const { signature, ...members } = document as ReceiptDocument;
    if (members.v !== 2 || members.key !== keyName(publicKey) || normaliseReceipt(members.receipt) !== members.receipt) return false;
    const message = utf8(`${CONTEXT}\0${canonical(members)}`);
    return ed25519.verify(unb64url(signature), message, unb64url(publicKey), { zip215: false });
  } catch {
    return false;
  }
}

/** Return the line of the roll for a receipt's last document: 64 hex digits, without the line feed. */
export function rollLine(document: ReceiptDocument): string {
  return hex(sha256(utf8(canonical({ ...document }))));
}

/** Return the first 16 hex digits of SHA-256 of a public key's 32 bytes. */
export function keyName(publicKey: string): string {
  return hex(sha256(unb64url(publicKey))).slice(0, 16);
}
