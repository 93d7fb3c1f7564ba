/** The page /verify: has a record computed anew, the office's or one from a file, and says what was found. */

import { byId, el, section } from "#shared/dom.ts";
import { prepare } from "#shared/offline.ts";
import { t } from "#shared/page.ts";
import { Computing } from "./computing.ts";
import { FoundView, say } from "./found-view.ts";
import { api, page } from "./page.ts";
import { showPath } from "./path-view.ts";
import { fetched, SHELF } from "./page_cache.ts";
import type { Said } from "./verify-work.entry.ts";

const view = new FoundView();
const computing = new Computing(page.work, hear, () => view.stop("state state-late", t("verify.broken")));

function hear(said: Said): void {
  if (said.kind === "unread" && said.why === "none") view.stop("state state-early", t("verify.none"));
  else if (said.kind === "unread") view.stop("state state-unready", t("verify.away"));
  else if (said.kind === "read") section("kept").textContent = said.kept ? t("verify.kept") : "";
  else if (said.kind === "progress") view.progress(said.share);
  else if (said.kind === "check") view.check(said.check);
  else if (said.kind === "verified") view.verdict(said.facts);
  else if (said.kind === "path") showPath(said.path, said.known);
  else unknown(t("verify.who.unknown"));
}

/** The office's record: of the present draw, or of the one that was chosen. */
function fromOffice(): void {
  const number = byId("draw", HTMLSelectElement).value;
  view.begin();
  computing.verify({ office: number === "" ? api : `${api}draws/${number}/` }, page.key);
}

function fromFiles(files: readonly File[]): void {
  const transcript = files.find((file) => file.name.endsWith(".json")) ?? files[0];
  if (transcript === undefined) return;
  view.begin();
  computing.verify({ transcript, rows: files.find((file) => file !== transcript) ?? null }, page.key);
}

function follow(): void {
  unknown("");
  section("path").textContent = t("verify.working");
  computing.follow(byId("who", HTMLInputElement).value, `${api}receipts/`);
}

/** Empty: all is well with what was typed. */
function unknown(why: string): void {
  const input = byId("who", HTMLInputElement);
  section("who-error").textContent = why;
  section("field-who").classList.toggle("wrong", why !== "");
  if (why === "") return input.removeAttribute("aria-invalid");
  section("path").replaceChildren();
  input.setAttribute("aria-invalid", "true");
  input.focus();
}

interface Listed {
  readonly number: number;
  readonly state: string;
  readonly given_up: unknown;
}

const WITH_RECORD = ["drawn", "published"];

/** Draws that were given up stay in public: all that came to a result can be verified. */
async function listDraws(): Promise<void> {
  const read = await fetched(`${api}draws`).catch(() => null);
  const draws = read === null ? [] : (JSON.parse(read.text) as { draws: Listed[] }).draws;
  const past = draws.filter((each) => each.given_up !== null && WITH_RECORD.includes(each.state));
  byId("draw", HTMLSelectElement).append(...past.map(({ number }) => el("option", { value: String(number) }, t("verify.draw.past", { number }))));
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
  field.addEventListener("drop", (event) => fromFiles([...(event.dataTransfer?.files ?? [])]));
}

section("program").hidden = false;
section("again").addEventListener("click", fromOffice);
section("draw").addEventListener("change", fromOffice);
section("files").addEventListener("change", () => fromFiles([...(byId("files", HTMLInputElement).files ?? [])]));
section("follow-form").addEventListener("submit", (event) => {
  event.preventDefault();
  follow();
});
takeDropped();
fromOffice(); // at once: later it would push aside what somebody chose meanwhile
void listDraws();
void prepare(page.offline, SHELF, [page.work]).then(
  () => say("offline", "small", t("verify.offline.ready")),
  () => say("offline", "small", t("verify.offline.not")),
);
