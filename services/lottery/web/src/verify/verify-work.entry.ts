/** Worker of the page /verify: verifies a record and traces one entry's path without blocking the page. */

import type { Json } from "./canonical.ts";
import { checks, ROWS_FILE, type Check, type VerifiedRecord } from "./checks.ts";
import { readFacts, type Facts } from "./facts.ts";
import { entriesWithPrefix, tracePath, type Path } from "./path.ts";
import { fetchWithCache } from "./page_cache.ts";

/** `server`: an address that ends in `/`, with `transcript` and `rows` below it. */
export type Source = { readonly server: string } | { readonly transcript: File; readonly rows: File | null };

export type WorkerRequest =
  | { readonly kind: "verify"; readonly source: Source; readonly published: string }
  | { readonly kind: "follow"; readonly wanted: Wanted };

/** Entry to follow: its id, or the first hex digits of its id, as its entry number shows them. `known`: how it was found. */
export interface Wanted {
  readonly prefix: string;
  readonly known: "typed" | "computed";
}

export type WorkerMessage =
  | { readonly kind: "unread"; readonly why: "none" | "away" }
  | { readonly kind: "read"; readonly kept: boolean }
  | { readonly kind: "check"; readonly check: Check }
  | { readonly kind: "progress"; readonly share: number }
  | { readonly kind: "verified"; readonly facts: Facts | null }
  | { readonly kind: "path"; readonly path: Path | null; readonly known: Wanted["known"] }
  | { readonly kind: "unknown" | "several" };

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<WorkerRequest>) => void) | null;
  postMessage(message: WorkerMessage): void;
};

/** Hex digits of a whole entry id. */
const ENTRY_DIGITS = 32;

let opened: VerifiedRecord | null = null;

scope.onmessage = (event) => {
  const request = event.data;
  void (request.kind === "verify" ? verify(request.source, request.published) : sendPath(request.wanted));
};

async function verify(source: Source, published: string): Promise<void> {
  const texts = await (("server" in source) ? readFromServer(source.server) : readFromFiles(source.transcript, source.rows)).catch(() => "away" as const);
  if (texts === null || texts === "away") return scope.postMessage({ kind: "unread", why: texts ?? "none" });
  scope.postMessage({ kind: "read", kept: texts.kept });
  const results = checks(texts.content, texts.rows, published, (share) => scope.postMessage({ kind: "progress", share }));
  let result = await results.next();
  for (; !result.done; result = await results.next()) scope.postMessage({ kind: "check", check: result.value });
  opened = result.value;
  scope.postMessage({ kind: "verified", facts: opened === null ? null : readFacts(opened, texts.content as Record<string, never>) });
}

interface RecordTexts {
  readonly content: Json;
  readonly rows: string | null;
  /** True if the texts came from the cache because there was no network. */
  readonly kept: boolean;
}

async function readFromServer(address: string): Promise<RecordTexts | null> {
  const read = await fetchWithCache(`${address}transcript`);
  if (read === null) return null;
  const content = parseJson(read.text);
  if (!hasSeparateRows(content)) return { content, rows: null, kept: read.kept };
  const rows = await fetchWithCache(`${address}rows`);
  if (rows?.kept !== read.kept) throw new Error("list and record are of different times"); // a verdict needs texts of one record
  return { content, rows: rows.text, kept: read.kept };
}

async function readFromFiles(transcript: File, rows: File | null): Promise<RecordTexts> {
  return { content: parseJson(await transcript.text()), rows: rows === null ? null : await rows.text(), kept: false };
}

/** Parse JSON; null if it is not JSON, which fails the first check. */
function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

function hasSeparateRows(content: Json): boolean {
  return (content as { rows?: unknown } | null)?.rows === ROWS_FILE;
}

async function sendPath({ prefix, known }: Wanted): Promise<void> {
  if (opened === null) return;
  const [entry, ...others] = entriesWithPrefix(opened, prefix);
  if (others.length > 0) return scope.postMessage({ kind: "several" });
  if (entry === undefined && prefix.length < ENTRY_DIGITS) return scope.postMessage({ kind: "unknown" });
  scope.postMessage({ kind: "path", path: entry === undefined ? null : await tracePath(opened, entry), known });
}
