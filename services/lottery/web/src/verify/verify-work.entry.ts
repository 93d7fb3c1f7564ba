/** Worker of the page /verify: verifies a record and traces one entry's path without blocking the page. */

import type { Json } from "./canonical.ts";
import { checks, ROWS_FILE, type Check, type PublishedKeys, type VerifiedRecord } from "./checks.ts";
import { checkContinued } from "./further_round.ts";
import { readFacts, type Facts } from "./facts.ts";
import { entriesWithPrefix, tracePath, type Path } from "./path.ts";
import { fetchIntoCache, fetchWithCache, pieces } from "./page_cache.ts";
import { readReceiptText, receiptChecks, type PinnedKeys, type PublishedList } from "./receipt_checks.ts";

/**
 * `server`: an address that ends in `/`, with `transcript` and `rows` below it, and below `draws` those of every draw.
 * `earlier`: files of the draws that a further round continues, with their rows in themselves.
 */
export type Source =
  | { readonly server: string; readonly draws: string }
  | { readonly transcript: File; readonly rows: File | null; readonly earlier: readonly File[] };

export type WorkerRequest =
  | { readonly kind: "verify"; readonly source: Source; readonly published: PublishedKeys }
  | { readonly kind: "follow"; readonly wanted: Wanted }
  | { readonly kind: "receipt"; readonly text: string; readonly server: string; readonly keys: PinnedKeys };

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
  | { readonly kind: "unknown" | "several" }
  | { readonly kind: "receipt"; readonly found: ReceiptFound };

/** Checks of a receipt document; `alone`: the list is not published yet. Or why there are none. */
export type ReceiptFound = { readonly checks: readonly Check[]; readonly alone: boolean } | "form" | "away";

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<WorkerRequest>) => void) | null;
  postMessage(message: WorkerMessage): void;
};

/** Hex digits of a whole entry id. */
const ENTRY_DIGITS = 32;

/** Draws before a further round that are read at most: a record could name itself. */
const MOST_DRAWS = 50;

let opened: VerifiedRecord | null = null;
/** Draws that a further round continues, oldest first. */
let earlier: readonly VerifiedRecord[] = [];

scope.onmessage = (event) => {
  const request = event.data;
  if (request.kind === "verify") void verify(request.source, request.published);
  else if (request.kind === "follow") void sendPath(request.wanted);
  else void checkReceipt(request.text, request.server, request.keys);
};

async function verify(source: Source, published: PublishedKeys): Promise<void> {
  const texts = await (("server" in source) ? readFromServer(source.server) : readFromFiles(source.transcript, source.rows)).catch(() => "away" as const);
  if (texts === null || texts === "away") return scope.postMessage({ kind: "unread", why: texts ?? "none" });
  scope.postMessage({ kind: "read", kept: texts.kept });
  const results = checks(texts.content, texts.rows, published, (share) => scope.postMessage({ kind: "progress", share }));
  let result = await results.next();
  for (; !result.done; result = await results.next()) scope.postMessage({ kind: "check", check: result.value });
  opened = result.value;
  earlier = [];
  if (opened !== null && opened.manifest.further !== null) await verifyEarlier(opened, source, published);
  scope.postMessage({ kind: "verified", facts: opened === null ? null : readFacts(opened, texts.content as Record<string, never>) });
}

/** Verify the draws that a further round continues, each by itself, and that they lead to it. */
async function verifyEarlier(record: VerifiedRecord, source: Source, published: PublishedKeys): Promise<void> {
  const found: VerifiedRecord[] = [];
  for (let wanted = record.manifest.further?.continues; wanted !== undefined && found.length < MOST_DRAWS; wanted = found[0]?.manifest.further?.continues) {
    const texts = await readEarlier(source, wanted).catch(() => null);
    const before = texts === null ? null : await verifyQuietly(texts, published);
    scope.postMessage({ kind: "check", check: { name: "draw before", passed: before !== null, found: { text: wanted } } });
    if (before === null || before.manifest.draw !== wanted) break;
    found.unshift(before);
  }
  earlier = found;
  scope.postMessage({ kind: "check", check: await checkContinued(record, found) });
}

/** Return the record if every check of it holds, else null. */
async function verifyQuietly({ content, rows }: RecordTexts, published: PublishedKeys): Promise<VerifiedRecord | null> {
  const results = checks(content, rows, published);
  for (let result = await results.next(); ; result = await results.next()) {
    if (result.done) return result.value;
    if (!result.value.passed) return null;
  }
}

async function readEarlier(source: Source, draw: string): Promise<RecordTexts | null> {
  if ("server" in source) return await readFromServer(`${source.draws}${draw.slice(draw.lastIndexOf("-") + 1)}/`);
  for (const file of source.earlier) {
    const texts = await readFromFiles(file, null);
    const line = (texts.content as { manifest?: unknown } | null)?.manifest;
    if (typeof line === "string" && (JSON.parse(line) as { draw?: unknown }).draw === draw) return texts;
  }
  return null;
}

interface RecordTexts {
  readonly content: Json;
  /** Separate rows, read while they are checked. */
  readonly rows: AsyncIterable<Uint8Array> | null;
  /** True if the texts came from the cache because there was no network. */
  readonly kept: boolean;
}

async function readFromServer(address: string): Promise<RecordTexts | null> {
  const read = await fetchWithCache(`${address}transcript`);
  if (read === null) return null;
  const content = parseJson(read.text);
  if (!hasSeparateRows(content)) return { content, rows: null, kept: read.kept };
  const rows = await fetchIntoCache(`${address}rows`);
  if (rows?.kept !== read.kept) throw new Error("list and record are of different times"); // a verdict needs texts of one record
  return { content, rows: bodyOf(rows.answer), kept: read.kept };
}

async function readFromFiles(transcript: File, rows: File | null): Promise<RecordTexts> {
  return { content: parseJson(await transcript.text()), rows: rows === null ? null : pieces(rows.stream()), kept: false };
}

function bodyOf(answer: Response): AsyncIterable<Uint8Array> {
  if (answer.body === null) throw new Error("an answer without a body");
  return pieces(answer.body);
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
  const [entry, ...others] = entriesWithPrefix([...earlier, opened], prefix);
  if (others.length > 0) return scope.postMessage({ kind: "several" });
  if (entry === undefined && prefix.length < ENTRY_DIGITS) return scope.postMessage({ kind: "unknown" });
  scope.postMessage({ kind: "path", path: entry === undefined ? null : await tracePath(opened, entry, earlier), known });
}

async function checkReceipt(text: string, server: string, keys: PinnedKeys): Promise<void> {
  const document = readReceiptText(text);
  if (document === null) return scope.postMessage({ kind: "receipt", found: "form" });
  const published = await readPublished(server).catch(() => "away" as const);
  if (published === "away") return scope.postMessage({ kind: "receipt", found: "away" });
  scope.postMessage({ kind: "receipt", found: { checks: [...receiptChecks(document, published, keys)], alone: published === null } });
}

/** Read manifest and roll; null if none is published. Throws if there is no network and no copy. */
async function readPublished(server: string): Promise<PublishedList | null> {
  const manifest = await fetchWithCache(`${server}manifest`);
  const roll = await fetchWithCache(`${server}roll`);
  return manifest === null || roll === null ? null : { manifest: parseJson(manifest.text), roll: roll.text };
}
