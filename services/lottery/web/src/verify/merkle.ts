/** Merkle root of lines: leaves of 1,024 lines with their line feeds, SHA-256 (RFC 6962 §2.1). */

import { sha256 } from "@noble/hashes/sha2.js";
import { utf8 } from "#shared/encoding.ts";
import { hex } from "./hex.ts";

const LEAF_LINES = 1024;
const LINE_FEED = 10;

/** Computes the root of lines that arrive in pieces; a piece may end within a line. */
export class LineTree {
  private readonly hashes: Uint8Array[] = [];
  private leaf = newLeaf();
  private lines = 0;
  private isEmpty = true;

  push(bytes: Uint8Array): void {
    let start = 0;
    for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) {
      this.lines += 1;
      if (this.lines % LEAF_LINES !== 0) continue;
      this.leaf.update(bytes.subarray(start, at + 1));
      this.close();
      start = at + 1;
    }
    this.leaf.update(bytes.subarray(start));
    this.isEmpty &&= start === bytes.length;
  }

  /** Return the root in hex. Nothing can be pushed afterwards. */
  root(): string {
    if (!this.isEmpty) this.close();
    return hex(root(this.hashes));
  }

  private close(): void {
    this.hashes.push(this.leaf.digest());
    this.leaf = newLeaf();
    this.isEmpty = true;
  }
}

/** Compute the Merkle root of the lines of a text, in hex. */
export function computeRoot(text: string): string {
  const tree = new LineTree();
  tree.push(utf8(text));
  return tree.root();
}

function newLeaf(): ReturnType<typeof sha256.create> {
  return sha256.create().update(Uint8Array.of(0));
}

function root(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 0) return sha256(new Uint8Array());
  if (hashes.length === 1) return hashes[0] as Uint8Array;
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return sha256.create().update(Uint8Array.of(1)).update(root(hashes.slice(0, split))).update(root(hashes.slice(split))).digest();
}
