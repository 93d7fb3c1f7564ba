/** Program of the page /verify: verifies a record of the server or from files, and shows the result. */

import { entryPrefix, normaliseEntryNumber, parseCode } from "#shared/codes.ts";
import { byId, el, section } from "#shared/dom.ts";
import { prepare } from "#shared/offline.ts";
import { t } from "#shared/page.ts";
import { WorkerClient } from "./worker_client.ts";
import { connectReceipt, showReceiptFound } from "./receipt_view.ts";
import { ResultView, say } from "./result_view.ts";
import { api, page, published } from "./page.ts";
import { showPath } from "./path_view.ts";
import { fetchWithCache, PAGE_CACHE } from "./page_cache.ts";
import { entryOfReceipt, readNumber } from "../own/own_entry.ts";
import type { Facts } from "./facts.ts";
import { parseEntryId } from "./path.ts";
import type { Wanted, WorkerMessage } from "./verify-work.entry.ts";

const view = new ResultView();
const client = new WorkerClient(page.work, receive, () => view.stop("state state-late", t("verify.broken")));

function receive(message: WorkerMessage): void {
  if (message.kind === "unread" && message.why === "none") view.stop("state state-early", t("verify.none"));
  else if (message.kind === "unread") view.stop("state state-unready", t("verify.away"));
  else if (message.kind === "read") section("kept").textContent = message.kept ? t("verify.kept") : "";
  else if (message.kind === "progress") view.progress(message.share);
  else if (message.kind === "check") view.check(message.check);
  else if (message.kind === "verified") showVerdict(message.facts);
  else if (message.kind === "receipt") showReceiptFound(message.found);
  else if (message.kind === "path") showPath(message.path, message.known);
  else showMistake("who", t(`verify.who.${message.kind}`));
}

/** Show the verdict, and follow the entry number of a link from the receipt page. */
function showVerdict(facts: Facts | null): void {
  view.verdict(facts);
  const linked = normaliseEntryNumber(decodeURIComponent(location.hash.slice(1)));
  if (facts === null || linked === null) return;
  byId("who", HTMLInputElement).value = linked;
  history.replaceState(null, "", location.pathname);
  void traceEntry();
}

/** Verify the server's record of the present draw, or of the draw that the user chose. */
function verifyFromServer(): void {
  const number = byId("draw", HTMLSelectElement).value;
  view.begin();
  client.verify({ server: number === "" ? api : `${api}draws/${number}/`, draws: `${api}draws/` }, published);
}

function verifyFiles(files: readonly File[]): void {
  const records = files.filter((file) => file.name.endsWith(".json"));
  const transcript = newest(records) ?? files[0];
  if (transcript === undefined) return;
  view.begin();
  const rows = files.find((file) => file !== transcript && !records.includes(file)) ?? null;
  client.verify({ transcript, rows, earlier: records.filter((file) => file !== transcript) }, published);
}

/** Return the last of several files by their names, which end in the number of the draw: others are the draws before a further round. */
function newest(records: readonly File[]): File | undefined {
  return [...records].sort((one, other) => one.name.localeCompare(other.name, "en", { numeric: true })).at(-1);
}

/** Follow an entry number or entry id, or the entry that is computed from receipt number and code. */
async function traceEntry(): Promise<void> {
  for (const field of ["who", "code"] as const) showMistake(field, "");
  const wanted = await findWanted().catch(() => null);
  if (wanted === null) return showMistake("who", t("verify.who.away"));
  if ("mistake" in wanted) return showMistake(wanted.mistake, t(`verify.${wanted.mistake}.${wanted.why}`));
  section("path").textContent = t("verify.working");
  client.tracePath(wanted);
}

interface Mistake {
  readonly mistake: "who" | "code";
  readonly why: "form" | "unknown";
}

async function findWanted(): Promise<Wanted | Mistake> {
  const typed = byId("who", HTMLInputElement).value;
  const entry = parseEntryId(typed);
  if (entry !== null) return { prefix: entry, known: "typed" };
  const number = readNumber(typed);
  if (number === null) return { mistake: "who", why: "form" };
  if ("entryNumber" in number) return { prefix: entryPrefix(number.entryNumber), known: "typed" };
  const code = parseCode(byId("code", HTMLInputElement).value);
  if (code === null) return { mistake: "code", why: "form" };
  const computed = await entryOfReceipt(page.intake, page.campaign, number.receipt, code);
  return computed === null ? { mistake: "who", why: "unknown" } : { prefix: computed, known: "computed" };
}

/** Show why the typed text names no entry; an empty text clears the message. */
function showMistake(field: "who" | "code", why: string): void {
  const input = byId(field, HTMLInputElement);
  section(`${field}-error`).textContent = why;
  section(`field-${field}`).classList.toggle("wrong", why !== "");
  if (why === "") return input.removeAttribute("aria-invalid");
  section("path").replaceChildren();
  input.setAttribute("aria-invalid", "true");
  input.focus();
}

interface Listed {
  readonly number: number;
  readonly state: string;
  /** Null for the present draw, and for a draw that a further round continues. */
  readonly given_up: unknown;
}

const WITH_RECORD = ["drawn", "published"];

/** List the past draws: those with a result stay public and can be verified. */
async function listDraws(): Promise<void> {
  const read = await fetchWithCache(`${api}draws`).catch(() => null);
  const draws = read === null ? [] : (JSON.parse(read.text) as { draws: Listed[] }).draws;
  const past = draws.slice(0, -1).filter((draw) => WITH_RECORD.includes(draw.state));
  byId("draw", HTMLSelectElement).append(...past.map(({ number, given_up: givenUp }) => el("option", { value: String(number) }, t(givenUp === null ? "verify.draw.before" : "verify.draw.past", { number }))));
  section("field-draw").hidden = past.length === 0;
}

function takeDropped(): void {
  const field = section("field-files");
  for (const kind of ["dragover", "dragleave", "drop"]) {
    field.addEventListener(kind, (event) => {
      event.preventDefault();
      field.classList.toggle("over", kind === "dragover");
    });
  }
  field.addEventListener("drop", (event) => verifyFiles([...(event.dataTransfer?.files ?? [])]));
}

section("program").hidden = false;
section("again").addEventListener("click", verifyFromServer);
section("draw").addEventListener("change", verifyFromServer);
section("files").addEventListener("change", () => verifyFiles([...(byId("files", HTMLInputElement).files ?? [])]));
section("follow-form").addEventListener("submit", (event) => {
  event.preventDefault();
  void traceEntry();
});
connectReceipt((text) => client.checkReceipt(text, api, { intake: page.intake_keys, lottery: page.keys }));
takeDropped();
verifyFromServer(); // at once: later it would replace a file that the user chose meanwhile
void listDraws();
void prepare(page.offline, PAGE_CACHE, [page.work]).then(
  () => say("offline", "small", t("verify.offline.ready")),
  () => say("offline", "small", t("verify.offline.not")),
);
