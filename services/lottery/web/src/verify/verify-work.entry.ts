/** Worker of the page /verify: verifies a record and traces one entry's path without blocking the page. */

import { normaliseReceipt } from "#shared/receipts.ts";
import type { Json } from "./canonical.ts";
import { checks, ROWS_FILE, type Check, type VerifiedRecord } from "./checks.ts";
import { readFacts, type Facts } from "./facts.ts";
import { parseEntryId, tracePath, type Path } from "./path.ts";
import { findEntryByReceipt } from "./receipts.ts";
import { fetchWithCache } from "./page_cache.ts";

/** `server`: an address that ends in `/`, with `transcript` and `rows` below it. */
export type Source = { readonly server: string } | { readonly transcript: File; readonly rows: File | null };

export type WorkerRequest =
  | { readonly kind: "verify"; readonly source: Source; readonly published: string }
  | { readonly kind: "follow"; readonly typed: string; readonly receipts: string };

/** `known`: how the entry of a receipt number was found. */
export type WorkerMessage =
  | { readonly kind: "unread"; readonly why: "none" | "away" }
  | { readonly kind: "read"; readonly kept: boolean }
  | { readonly kind: "check"; readonly check: Check }
  | { readonly kind: "progress"; readonly share: number }
  | { readonly kind: "verified"; readonly facts: Facts | null }
  | { readonly kind: "path"; readonly path: Path | null; readonly known: "typed" | "computed" | "server" }
  | { readonly kind: "unknown" };

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<WorkerRequest>) => void) | null;
  postMessage(message: WorkerMessage): void;
};

const PROOF_TIMEOUT_MS = 20_000;

let opened: VerifiedRecord | null = null;

scope.onmessage = (event) => {
  const request = event.data;
  void (request.kind === "verify" ? verify(request.source, request.published) : sendPath(request.typed, request.receipts));
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

async function sendPath(typed: string, receipts: string): Promise<void> {
  if (opened === null) return;
  const receipt = normaliseReceipt(typed);
  const derived = parseEntryId(typed) ?? (receipt === null ? null : findEntryByReceipt(receipt, opened.entries));
  const entry = derived ?? (receipt === null ? null : await fetchEntry(`${receipts}${encodeURIComponent(receipt)}/proof`));
  if (entry === null) return scope.postMessage({ kind: "unknown" });
  const known = derived === null ? "server" : receipt === null ? "typed" : "computed";
  scope.postMessage({ kind: "path", path: await tracePath(opened, entry), known });
}

/** Ask the server, for the few numbers that cannot be derived from the list. Not cached: the device may be shared. */
async function fetchEntry(address: string): Promise<string | null> {
  const answer = await fetch(address, { signal: AbortSignal.timeout(PROOF_TIMEOUT_MS) }).catch(() => null);
  return answer?.ok ? ((await answer.json()) as { entry: string }).entry : null;
}
