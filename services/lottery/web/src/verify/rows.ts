/** Frozen list as text, and its Merkle root: leaves of 1,024 lines, SHA-256 (RFC 6962 §2.1). */

import { sha256 } from "@noble/hashes/sha2.js";
import { utf8 } from "#shared/encoding.ts";
import { InvalidRecordError } from "./canonical.ts";

export interface Entry {
  /** 32 hex digits. */
  readonly id: string;
  /** Class and seats, in order of preference. */
  readonly choices: readonly (readonly [string, number])[];
}

const LEAF_ROWS = 1024;
const ROW = /^([0-9a-f]{32}) ((?:[a-z0-9-]+:[1-9][0-9]*)(?:,[a-z0-9-]+:[1-9][0-9]*)*)$/u;

/** Read the rows. Throws InvalidRecordError for another form, a wrong order, or a class that a row names twice. */
export function readRows(text: string): Entry[] {
  if (text === "") return [];
  if (!text.endsWith("\n")) throw new InvalidRecordError("rows: the last line has no line feed");
  const lists = new Map<string, Entry["choices"]>();
  let before = "";
  return text.slice(0, -1).split("\n").map((line, at) => {
    const [, id = "", wanted = ""] = ROW.exec(line) ?? [];
    if (id === "") throw new InvalidRecordError(`rows: line ${at + 1} does not have the form of a row`);
    if (id <= before) throw new InvalidRecordError(`rows: line ${at + 1} is out of order`);
    before = id;
    return { id, choices: lists.get(wanted) ?? readChoices(lists, wanted, at + 1) };
  });
}

function readChoices(lists: Map<string, Entry["choices"]>, wanted: string, line: number): Entry["choices"] {
  const choices = wanted.split(",").map((choice) => {
    const [name = "", seats = ""] = choice.split(":");
    return [name, Number(seats)] as const;
  });
  if (new Set(choices.map(([name]) => name)).size !== choices.length) throw new InvalidRecordError(`rows: line ${line} asks for a class twice`);
  lists.set(wanted, choices);
  return choices;
}

/** Compute the Merkle root of the rows, in hex. */
export function computeRoot(text: string): string {
  return hex(root(leaves(text).map((leaf) => sha256(concatenate(0, utf8(leaf))))));
}

function leaves(text: string): string[] {
  const found: string[] = [];
  let start = 0;
  let rows = 0;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
    rows += 1;
    if (rows % LEAF_ROWS === 0) {
      found.push(text.slice(start, at + 1));
      start = at + 1;
    }
  }
  if (start < text.length) found.push(text.slice(start));
  return found;
}

function root(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 0) return sha256(new Uint8Array());
  if (hashes.length === 1) return hashes[0] as Uint8Array;
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return sha256(concatenate(1, root(hashes.slice(0, split)), root(hashes.slice(split))));
}

function concatenate(kind: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(1 + parts.reduce((sum, part) => sum + part.length, 0));
  whole[0] = kind;
  let at = 1;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const PAIRS: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const VALUES: ReadonlyMap<string, number> = new Map(PAIRS.map((pair, byte) => [pair, byte]));

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => PAIRS[byte]!).join("");
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
