/**
 * Verify the audit log in front of whoever reads it: numbers, Merkle tree (RFC 6962 §2.1), the vault's signature under the
 * checkpoint and the witness's (C2SP signed-note, tlog-checkpoint, tlog-cosignature/v1; docs/protocols.md §6).
 */

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { b64url, hex, utf8 } from "#shared/encoding.ts";

/** Parts of a log as `GET /v1/audit` hands them out, with all lines. */
export interface ExportedLog {
  readonly lines: readonly string[];
  readonly checkpoint: string | null;
  readonly cosigned: string | null;
  readonly key: string;
  readonly witness_key: string | null;
}

/** `name`: of the text in the catalogue. `filling`: of its members. */
export interface Finding {
  readonly name: string;
  readonly passed: boolean;
  readonly filling: Readonly<Record<string, string | number>>;
}

interface NoteKey {
  readonly name: string;
  readonly id: string;
  readonly kind: number;
  readonly public: Uint8Array;
}

const ED25519 = 1;
const COSIGNATURE = 4;
const TIME_BYTES = 8;
const MARK = "\u2014 ";

/** Return what was found, one after the other. `expected`: the vault's public key on paper (base64url), or nothing. */
export function verifyLog(log: ExportedLog, expected: string): readonly Finding[] {
  const findings: Finding[] = [numbers(log.lines)];
  if (log.checkpoint === null) return [...findings, { name: "signed", passed: false, filling: {} }];
  const checkpoint = readCheckpoint(log.checkpoint);
  const key = readKey(log.key);
  if (checkpoint === null || key === null) return [...findings, { name: "signed", passed: false, filling: {} }];
  const shown = b64url(key.public);
  findings.push({ name: "signed", passed: key.kind === ED25519 && isSigned(log.checkpoint, key), filling: { key: shown } });
  if (expected !== "") findings.push({ name: "expected", passed: expected.trim() === shown, filling: {} });
  const { size, root } = checkpoint;
  const found = log.lines.length >= size ? treeRoot(log.lines.slice(0, size).map(leafHash)) : null;
  findings.push({ name: "tree", passed: found !== null && hex(found) === hex(root), filling: { size, lines: log.lines.length } });
  return log.witness_key === null ? findings : [...findings, witnessed(log, log.witness_key)];
}

/** Return the root of a tree; SHA-256 of nothing for no leaf. */
export function treeRoot(hashes: readonly Uint8Array[]): Uint8Array {
  const peaks: { readonly width: number; readonly hash: Uint8Array }[] = [];
  for (const leaf of hashes) {
    let node = { width: 1, hash: leaf };
    for (let last = peaks.at(-1); last?.width === node.width; last = peaks.at(-1)) {
      peaks.pop();
      node = { width: 2 * node.width, hash: nodeHash(last.hash, node.hash) };
    }
    peaks.push(node);
  }
  const last = peaks.pop();
  if (last === undefined) return sha256(new Uint8Array());
  return peaks.reduceRight((right, peak) => nodeHash(peak.hash, right), last.hash);
}

/** Return the hash of a line without its line feed. */
export function leafHash(line: string): Uint8Array {
  return sha256.create().update(Uint8Array.of(0)).update(utf8(line)).digest();
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256.create().update(Uint8Array.of(1)).update(left).update(right).digest();
}

function numbers(lines: readonly string[]): Finding {
  const wrong = lines.findIndex((line, at) => numberOf(line) !== at + 1);
  return { name: "numbers", passed: wrong === -1, filling: { lines: lines.length, line: wrong + 1 } };
}

function numberOf(line: string): unknown {
  try {
    return (JSON.parse(line) as { seq?: unknown }).seq;
  } catch {
    return null;
  }
}

function witnessed(log: ExportedLog, vkey: string): Finding {
  const key = readKey(vkey);
  const checkpoint = log.cosigned === null ? null : readCheckpoint(log.cosigned);
  if (key === null || log.cosigned === null || checkpoint === null) return { name: "witnessed", passed: false, filling: { size: 0 } };
  const { size, root } = checkpoint;
  const same = log.lines.length >= size && hex(treeRoot(log.lines.slice(0, size).map(leafHash))) === hex(root);
  return { name: "witnessed", passed: same && key.kind === COSIGNATURE && isSigned(log.cosigned, key), filling: { size } };
}

/** Return size and root of a checkpoint; null for any other text. */
function readCheckpoint(note: string): { readonly size: number; readonly root: Uint8Array } | null {
  const [origin, size, root] = bodyOf(note).split("\n");
  if (origin === undefined || origin === "" || !/^(?:0|[1-9]\d{0,14})$/u.test(size ?? "")) return null;
  const content = unb64(root ?? "");
  return content?.length === 32 ? { size: Number(size), root: content } : null;
}

function readKey(vkey: string): NoteKey | null {
  const [name = "", id = "", ...rest] = vkey.trim().split("+");
  const content = unb64(rest.join("+"));
  const kind = content?.[0];
  return content === null || kind === undefined || content.length !== 33 ? null : { name, id, kind, public: content.slice(1) };
}

function isSigned(note: string, key: NoteKey): boolean {
  const body = bodyOf(note);
  return note.slice(body.length + 1).split("\n").some((line) => {
    const [name, text, more] = line.startsWith(MARK) ? line.slice(MARK.length).split(" ") : [];
    const content = unb64(text ?? "");
    if (name !== key.name || more !== undefined || content === null || hex(content.slice(0, 4)) !== key.id) return false;
    return key.kind === COSIGNATURE ? isCosigned(body, content.slice(4), key) : isValid(content.slice(4), body, key);
  });
}

function isCosigned(body: string, content: Uint8Array, key: NoteKey): boolean {
  if (content.length <= TIME_BYTES) return false;
  const seconds = content.slice(0, TIME_BYTES).reduce((sum, byte) => 256n * sum + BigInt(byte), 0n);
  return isValid(content.slice(TIME_BYTES), `cosignature/v1\ntime ${seconds}\n${body}`, key);
}

function isValid(signature: Uint8Array, text: string, key: NoteKey): boolean {
  try {
    return ed25519.verify(signature, utf8(text), key.public, { zip215: false });
  } catch {
    return false;
  }
}

/** Return the signed text of a note, with its last line feed. */
function bodyOf(note: string): string {
  const end = note.lastIndexOf("\n\n");
  return end === -1 ? "" : note.slice(0, end + 1);
}

function unb64(text: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
