/** Make and read codes, entry ids, entry numbers and proofs (docs/protocols.md §0); the same cases as shared/codes.py. */

import { sha256 } from "@noble/hashes/sha2.js";
import { ALPHABET, checkSymbol, decode, encode, formatNumber, normalise, normaliseNumber } from "./crockford.ts";
import { b64url, hex, unb64url, unhex, utf8 } from "./encoding.ts";

/** Service that a proof is for; `intake`: with the application id, `lottery`: with the entry id. */
export type Audience = "intake" | "lottery";

const CODE_BYTES = 10;
const CODE = /^[0-9A-HJKMNP-TV-Z]{16}$/u;
const ENTRY_BYTES = 16;
/** Bytes of an entry id that its entry number shows. */
const NUMBER_BYTES = 5;

/** Return a random code of 80 bits. A code whose entry number could not be read out is drawn again. */
export function newCode(campaign: string, applicationId: string): string {
  for (;;) {
    const code = encode(crypto.getRandomValues(new Uint8Array(CODE_BYTES)));
    if (entryNumber(entryId(campaign, applicationId, code)) !== null) return code;
  }
}

/** Return a typed code without hyphens; null where it does not have 16 symbols. */
export function parseCode(typed: string): string | null {
  const symbols = normalise(typed);
  return CODE.test(symbols) ? symbols : null;
}

/** Return a code as people read it: four groups of four. */
export function formatCode(code: string): string {
  return code.match(/.{4}/gu)?.join("-") ?? code;
}

/** Return the entry id, 32 hex digits. `applicationId`: UUID text. */
export function entryId(campaign: string, applicationId: string, code: string): string {
  const context = utf8(`kuji/entry/2\0${campaign}\0`);
  return hex(sha256(joined(context, uuidBytes(applicationId), decode(code))).slice(0, ENTRY_BYTES));
}

/** Return the entry number of an entry id; null where its check symbol cannot be read out. */
export function entryNumber(entry: string): string | null {
  const symbols = encode(unhex(entry).slice(0, NUMBER_BYTES));
  const check = checkSymbol(symbols);
  return ALPHABET.includes(check) ? formatNumber("E", symbols, check) : null;
}

/** Return a typed entry number in its printed form; null where the form or the check symbol is wrong. */
export function normaliseEntryNumber(typed: string): string | null {
  return normaliseNumber("E", typed);
}

/** Return the first 10 hex digits of the entries with this number in its printed form. */
export function entryPrefix(number: string): string {
  return hex(decode(number.slice(2, 6) + number.slice(7, 11)));
}

/** Return the proof for intake, base64url. */
export function intakeProof(campaign: string, applicationId: string, code: string): string {
  return proof("intake", campaign, uuidBytes(applicationId), code);
}

/** Return the proof for the lottery, base64url. `entry`: entry id in hex. */
export function lotteryProof(campaign: string, entry: string, code: string): string {
  return proof("lottery", campaign, unhex(entry), code);
}

/** Return SHA-256 of a proof's 32 bytes, in hex: what a service stores. */
export function proofDigest(text: string): string {
  return hex(sha256(unb64url(text)));
}

function proof(audience: Audience, campaign: string, identity: Uint8Array, code: string): string {
  return b64url(sha256(joined(utf8(`kuji/proof/2\0${audience}\0${campaign}\0`), identity, decode(code))));
}

function uuidBytes(id: string): Uint8Array {
  return unhex(id.replaceAll("-", ""));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}
