/** The page /verify: fetches or takes a transcript, has it computed anew, and says what was found. */

import { byId, el, section } from "../../../../../shared/web/src/dom.ts";
import { prepare, trusted } from "../../../../../shared/web/src/offline.ts";
import { maybe, read, t, type Frame } from "../../../../../shared/web/src/page.ts";
import { ROWS_FILE, type Check } from "./checks.ts";
import { entryOf, type Path } from "./path.ts";
import { fetched, SHELF } from "./shelf.ts";
import type { Asked, Facts, Said } from "./verify-work.ts";

interface Page extends Frame {
  readonly campaign: string;
  /** The lottery's public key (base64url). */
  readonly key: string;
  readonly work: string;
  readonly offline: string;
  readonly classes: Readonly<Record<string, string>>;
}

const page = read<Page>();
const worker = new Worker(trusted("kuji-verify-work", page.work), { type: "module" });
const api = `/v1/campaigns/${page.campaign}`;
const RECEIPT = /^[WFP][-0-9A-Z]{9,14}$/u;

let failed = 0;

worker.onmessage = (event: MessageEvent<Said>) => {
  const said = event.data;
  if (said.kind === "check") showCheck(said.check);
  else if (said.kind === "verified") showVerdict(said.facts);
  else showPath(said.path);
};
worker.onerror = () => tell("verdict", "state state-late", t("verify.broken"));

function ask(asked: Asked): void {
  worker.postMessage(asked);
}

async function published(): Promise<void> {
  begin();
  try {
    const answer = await fetched(`${api}/${chosen()}transcript`);
    if (answer === null) return tell("verdict", "state state-early", t("verify.none"));
    await verify(await answer.text(), async () => await (await fetched(`${api}/${chosen()}rows`))?.text() ?? null);
  } catch {
    tell("verdict", "state state-unready", t("verify.away"));
  }
}

/** The draw that was chosen where there are several. */
function chosen(): string {
  const number = byId("draw", HTMLSelectElement).value;
  return number === "" ? "" : `draws/${number}/`;
}

async function fromFiles(): Promise<void> {
  const files = [...(byId("files", HTMLInputElement).files ?? [])];
  const transcript = files.find((file) => file.name.endsWith(".json")) ?? files[0];
  if (transcript === undefined) return;
  begin();
  const rows = files.find((file) => file !== transcript);
  await verify(await transcript.text(), async () => (rows === undefined ? null : await rows.text()));
}

async function verify(content: string, rows: () => Promise<string | null>): Promise<void> {
  const apart = content.includes(`"rows": "${ROWS_FILE}"`) || content.includes(`"rows":"${ROWS_FILE}"`);
  ask({ kind: "verify", content, rows: apart ? await rows() : null, published: page.key });
}

function begin(): void {
  failed = 0;
  section("checks").replaceChildren();
  section("facts").replaceChildren();
  section("path").replaceChildren();
  section("follow").hidden = true;
  section("found").hidden = false;
  tell("verdict", "state", t("verify.working"));
}

function showCheck(check: Check): void {
  failed += check.passed ? 0 : 1;
  const mark = el("span", { class: check.passed ? "mark mark-good" : "mark mark-bad" }, check.passed ? "✓" : "✗");
  const name = maybe(`verify.check.${check.name.replaceAll(/[ ']/gu, "-")}`) ?? check.name;
  const found = Object.entries(check.found ?? {}).map(([what, value]) => maybe(`verify.found.${what}`) === undefined ? String(value) : t(`verify.found.${what}`, { value }));
  const words = [t(check.passed ? "verify.holds" : "verify.fails"), ...found].join(" ");
  section("checks").append(el("li", {}, mark, ` ${name}: ${words}`));
}

function showVerdict(facts: Facts | null): void {
  const good = failed === 0 && facts !== null;
  tell("verdict", good ? "verdict verdict-good" : "verdict verdict-bad", t(good ? "verify.good" : "verify.bad"));
  if (facts === null) return;
  const pairs: [string, string][] = [
    ["draw", facts.draw],
    ["entries", String(facts.entries)],
    ["frozen", new Date(facts.frozenAt).toLocaleString(page.lang, { timeZone: "Asia/Tokyo" })],
    ...(facts.dice === null ? [] : ([["dice", facts.dice], ["witnesses", facts.witnesses.join(", ")]] as [string, string][])),
    ...(facts.round === null ? [] : ([["round", String(facts.round)]] as [string, string][])),
    ["key", facts.key],
  ];
  section("facts").replaceChildren(...pairs.flatMap(([name, value]) => [el("dt", {}, t(`verify.fact.${name}`)), el("dd", {}, value)]));
  section("rehearsed").hidden = !facts.rehearsal;
  section("follow").hidden = !good;
}

async function followEntry(): Promise<void> {
  const typed = byId("who", HTMLInputElement).value;
  const entry = entryOf(typed) ?? (await entryOfReceipt(typed));
  const wrong = entry === null ? t("verify.who.unknown") : "";
  section("who-error").textContent = wrong;
  section("field-who").classList.toggle("wrong", wrong !== "");
  byId("who", HTMLInputElement).toggleAttribute("aria-invalid", wrong !== "");
  if (entry === null) byId("who", HTMLInputElement).focus();
  else ask({ kind: "follow", entry });
}

/** The office knows which entry a receipt number is of; that it is on the list is then seen in the rows themselves. */
async function entryOfReceipt(typed: string): Promise<string | null> {
  const receipt = typed.normalize("NFKC").trim().toUpperCase();
  if (!RECEIPT.test(receipt)) return null;
  const answer = await fetched(`${api}/receipts/${encodeURIComponent(receipt)}/proof`).catch(() => null);
  return answer === null ? null : ((await answer.json()) as { entry: string }).entry;
}

function showPath(path: Path | null): void {
  if (path === null) return section("path").replaceChildren(el("p", { class: "state state-late" }, t("verify.path.absent")));
  const steps = path.attempts.map((step) =>
    el("li", {}, t("verify.path.step", { round: step.round, name: title(step.classId), seats: step.seats, left: step.left }), " ", t(`verify.tried.${step.outcome}`)),
  );
  const endings = path.endings.flatMap((each) => [el("dt", {}, title(each.classId)), el("dd", {}, t(`verify.ending.${each.outcome}`, { place: each.place ?? 0 }))]);
  section("path").replaceChildren(
    el("p", {}, t("verify.path.place", { place: path.place, entries: path.entries })),
    el("p", { class: "small" }, t("verify.path.ticket", { ticket: path.ticket })),
    el("h3", {}, t("verify.path.steps")),
    el("ol", {}, ...steps),
    el("h3", {}, t("verify.path.endings")),
    el("dl", { class: "facts" }, ...endings),
  );
}

function title(classId: string): string {
  return page.classes[classId] ?? classId;
}

function tell(id: string, kind: string, text: string): void {
  section(id).className = kind;
  section(id).textContent = text;
}

/** Draws that were given up stay in public: all can be verified. */
async function listDraws(): Promise<void> {
  const answer = await fetched(`${api}/draws`).catch(() => null);
  const draws = answer === null ? [] : ((await answer.json()) as { draws: { number: number; given_up: unknown }[] }).draws;
  const options = draws.filter((each) => each.given_up !== null).map((each) => el("option", { value: String(each.number) }, t("verify.draw.past", { number: each.number })));
  byId("draw", HTMLSelectElement).append(...options);
  section("field-draw").hidden = options.length === 0;
}

section("program").hidden = false;
section("again").addEventListener("click", () => void published());
section("draw").addEventListener("change", () => void published());
section("files").addEventListener("change", () => void fromFiles());
section("follow-form").addEventListener("submit", (event) => {
  event.preventDefault();
  void followEntry();
});
void listDraws().then(published);
void prepare(page.offline, SHELF, [page.work]).then(
  () => { section("offline").textContent = t("verify.offline.ready"); },
  () => { section("offline").textContent = t("verify.offline.not"); },
);
