/** The computing, away from the page, so that it never stands still: a record in, checks and one entry's path out. */

import { normaliseReceipt } from "#shared/receipts.ts";
import type { Json } from "./canonical.ts";
import { checks, ROWS_FILE, type Check, type Opened } from "./checks.ts";
import { factsOf, type Facts } from "./facts.ts";
import { entryOf, follow, type Path } from "./path.ts";
import { entryOfReceipt } from "./receipts.ts";
import { fetched } from "./page_cache.ts";

/** `office`: an address that ends in `/`, with `transcript` and `rows` below it. */
export type Source = { readonly office: string } | { readonly transcript: File; readonly rows: File | null };

export type Asked =
  | { readonly kind: "verify"; readonly source: Source; readonly published: string }
  | { readonly kind: "follow"; readonly typed: string; readonly receipts: string };

/** `known`: who said which entry a receipt number is of. */
export type Said =
  | { readonly kind: "unread"; readonly why: "none" | "away" }
  | { readonly kind: "read"; readonly kept: boolean }
  | { readonly kind: "check"; readonly check: Check }
  | { readonly kind: "progress"; readonly share: number }
  | { readonly kind: "verified"; readonly facts: Facts | null }
  | { readonly kind: "path"; readonly path: Path | null; readonly known: "typed" | "computed" | "office" }
  | { readonly kind: "unknown" };

const work = globalThis as unknown as {
  onmessage: ((event: MessageEvent<Asked>) => void) | null;
  postMessage(said: Said): void;
};

const ANSWER_MS = 20_000;

let opened: Opened | null = null;

work.onmessage = (event) => {
  const asked = event.data;
  void (asked.kind === "verify" ? verify(asked.source, asked.published) : follows(asked.typed, asked.receipts));
};

async function verify(source: Source, published: string): Promise<void> {
  const texts = await (("office" in source) ? fromOffice(source.office) : fromFiles(source.transcript, source.rows)).catch(() => "away" as const);
  if (texts === null || texts === "away") return work.postMessage({ kind: "unread", why: texts ?? "none" });
  work.postMessage({ kind: "read", kept: texts.kept });
  const going = checks(texts.content, texts.rows, published, (share) => work.postMessage({ kind: "progress", share }));
  let step = await going.next();
  for (; !step.done; step = await going.next()) work.postMessage({ kind: "check", check: step.value });
  opened = step.value;
  work.postMessage({ kind: "verified", facts: opened === null ? null : factsOf(opened, texts.content as Record<string, never>) });
}

interface Texts {
  readonly content: Json;
  readonly rows: string | null;
  /** From this device, for there was no network. */
  readonly kept: boolean;
}

async function fromOffice(address: string): Promise<Texts | null> {
  const read = await fetched(`${address}transcript`);
  if (read === null) return null;
  const content = parsed(read.text);
  if (!apart(content)) return { content, rows: null, kept: read.kept };
  const rows = await fetched(`${address}rows`);
  if (rows?.kept !== read.kept) throw new Error("a list and a record of different times"); // no verdict on what is not one record
  return { content, rows: rows.text, kept: read.kept };
}

async function fromFiles(transcript: File, rows: File | null): Promise<Texts> {
  return { content: parsed(await transcript.text()), rows: rows === null ? null : await rows.text(), kept: false };
}

/** What is not JSON fails its first check. */
function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

function apart(content: Json): boolean {
  return (content as { rows?: unknown } | null)?.rows === ROWS_FILE;
}

async function follows(typed: string, receipts: string): Promise<void> {
  if (opened === null) return;
  const receipt = normaliseReceipt(typed);
  const ours = entryOf(typed) ?? (receipt === null ? null : entryOfReceipt(receipt, opened.entries));
  const entry = ours ?? (receipt === null ? null : await askedOf(`${receipts}${encodeURIComponent(receipt)}/proof`));
  if (entry === null) return work.postMessage({ kind: "unknown" });
  const known = ours === null ? "office" : receipt === null ? "typed" : "computed";
  work.postMessage({ kind: "path", path: await follow(opened, entry), known });
}

/** The office's word, for the few numbers that do not follow from the list. Not kept: the device may be shared. */
async function askedOf(address: string): Promise<string | null> {
  const answer = await fetch(address, { signal: AbortSignal.timeout(ANSWER_MS) }).catch(() => null);
  return answer?.ok ? ((await answer.json()) as { entry: string }).entry : null;
}
