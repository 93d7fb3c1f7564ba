/** Check of passes without a network: form, signature, campaign (docs/protocols.md §2). */

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8, unb64url } from "#shared/encoding.ts";

export interface Pass {
  /** 32 hex digits. */
  readonly entry: string;
  readonly number: number;
  readonly seats: number;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const PAYLOAD_BYTES = 36;

/**
 * Return the pass at the end of `typed` in its printed form; null if there is none.
 *
 * Scanners send capitals or not. A keyboard layout that the scanner does not expect turns the colon into another sign,
 * an input method may widen every character, and keys that a person touched before may stand in front.
 */
export function passText(typed: string): string | null {
  const found = /KP1[^A-Z0-9]?([A-Z2-7]{160})$/u.exec(typed.normalize("NFKC").trim().toUpperCase());
  return found ? `KP1:${found[1]}` : null;
}

/** Read a pass in its printed form; null unless it is of this campaign and signed with one of these keys. */
export function readPass(publicKeys: readonly string[], campaign: string, text: string): Pass | null {
  const bytes = base32(text.slice(4));
  const payload = bytes.slice(0, PAYLOAD_BYTES);
  const domain = utf8("kuji/pass/1\0");
  const signed = new Uint8Array([...domain, ...payload]);
  const signature = bytes.slice(PAYLOAD_BYTES);
  if (payload[0] !== 1 || !publicKeys.some((key) => isSigned(signature, signed, unb64url(key)))) return null;
  const short = sha256(utf8(campaign)).slice(0, 8);
  if (short.some((byte, at) => byte !== payload[1 + at])) return null;
  const view = new DataView(payload.buffer);
  return { entry: hex(payload.slice(9, 25)), number: view.getUint16(25), seats: view.getUint8(27) };
}

function isSigned(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
}

function base32(text: string): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(Math.floor((text.length * 5) / 8));
  let bits = 0;
  let value = 0;
  let at = 0;
  for (const character of text) {
    value = ((value << 5) | ALPHABET.indexOf(character)) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out[at] = value >> bits;
      at += 1;
    }
  }
  return out;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
