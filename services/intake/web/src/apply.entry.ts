/** The application form: typed in, checked, shown once more, sealed, delivered; then the receipt. */

import { addressOf, needsGuardian, problems, standingOf, type Draft } from "./application.ts";
import { Chooser } from "./choosing.ts";
import { deliver, type Delivered, type Shown } from "./delivery.ts";
import { byId, el, section, showOnly } from "#shared/dom.ts";
import * as fields from "./fields.ts";
import { suggestAddress } from "./mail_domains.ts";
import { MailHint } from "./mail_hint.ts";
import { Memory, type Receipt } from "./memory.ts";
import { display, email, phone, postalCode } from "./normalise.ts";
import { now, page, t } from "./page.ts";
import { PostalCodes } from "./postal.ts";
import { residence } from "./residence.ts";
import { follow } from "./standing.ts";

type Step = "form" | "confirm" | "sending" | "failed" | "done";
const STEPS: readonly Step[] = ["form", "confirm", "sending", "failed", "done"];
const MARKED: Readonly<Record<Step, string>> = {
  form: "step-form", confirm: "step-confirm", sending: "step-confirm", failed: "step-form", done: "step-done",
};

const rules = page.rules;
const memory = new Memory(rules.campaign);
const chooser = new Chooser(rules, chosen);
const postal = new PostalCodes(filled);
const mailHint = new MailHint(mended);
const trust = { pinned: page.signing_key, now };
let delivering = false;

function draft(): Draft {
  return fields.readDraft(chooser.choices);
}

/** After every change: remember it in this tab, and show what depends on age or grade. */
function typed(): void {
  if (memory.receipt === null && !delivering) memory.draft = draft();
}

function chosen(): void {
  typed();
  fields.corrected("choices");
}

function filled(): void {
  typed();
  fields.corrected("town");
}

function mended(): void {
  typed();
  fields.corrected("email");
}

function restanding(): void {
  const current = draft();
  section("field-age").hidden = current.standing !== "age";
  section("field-guardian").hidden = !needsGuardian(current);
  chooser.show(standingOf(current));
}

function go(step: Step): void {
  for (const id of new Set(Object.values(MARKED))) section(id).removeAttribute("aria-current");
  section(MARKED[step]).setAttribute("aria-current", "step");
  showOnly(step, STEPS);
}

async function check(): Promise<void> {
  await postal.ensure(draft().postal_code);
  const current = draft();
  const found = problems(current, rules, postal.municipalities(current.postal_code));
  fields.showProblems(found);
  if (found.length > 0) return;
  summarise(current);
  history.pushState({ step: "confirm" }, "");
  go("confirm");
}

function summarise(current: Draft): void {
  const lives = residence(addressOf(current), postal.municipalities(current.postal_code), rules.residency);
  section("mismatch").hidden = lives !== "contradiction";
  section("mail-doubt").hidden = suggestAddress(email(current.email)) === null;
  const lines: [string, string][] = [
    [t("form.name"), display(current.name)],
    [t("form.standing"), ageInWords(current)],
    ...(needsGuardian(current) ? [[t("form.guardian"), display(current.guardian)] as [string, string]] : []),
    [t("form.postal_code"), postalCode(current.postal_code).replace(/^(.{3})/u, "$1-")],
    [t("confirm.address"), addressOf(current)],
    [t("form.phone"), phone(current.phone)],
    [t("form.email"), email(current.email) || t("confirm.no-email")],
    ...current.choices.map((choice, index): [string, string] => [chosenAs(index), chosenWhat(choice)]),
  ];
  section("summary").replaceChildren(...lines.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function ageInWords(current: Draft): string {
  const standing = standingOf(current);
  if (standing === null) return "";
  return "grade" in standing ? t(`grade.${standing.grade}`) : `${standing.age} ${t("form.age.unit")}`;
}

function chosenAs(index: number): string {
  return rules.preferences ? t("form.choices.rank", { rank: index + 1 }) : t("form.choices");
}

function chosenWhat(choice: Draft["choices"][number]): string {
  const each = rules.classes.find((one) => one.id === choice.class);
  const people = choice.seats > 1 ? ` (${t("form.choices.people", { seats: choice.seats })})` : "";
  return `${each?.number ?? ""} ${each?.title ?? choice.class}${people} — ${each?.when ?? ""}`;
}

/** Once at a time, whatever is clicked how often; a reload carries on with what is already sealed. */
async function send(): Promise<void> {
  if (delivering) return;
  delivering = true;
  go("sending");
  try {
    finish(await deliver(memory.draft ?? draft(), rules, memory, trust, progress));
  } catch {
    fail(t("failed.other"));
  } finally {
    delivering = false;
  }
}

const progress: Shown = {
  sealing: () => say(t("sending.sealing")),
  sending: () => say(t("sending.sending")),
  working: () => say(t("sending.working")),
  wait: async (seconds) => {
    const button = byId("send-now", HTMLButtonElement);
    say(t("sending.waiting", { seconds: Math.ceil(seconds) }));
    button.hidden = false;
    await Promise.race([
      new Promise((resolve) => setTimeout(resolve, 1000 * seconds)),
      new Promise((resolve) => button.addEventListener("click", resolve, { once: true })),
      new Promise((resolve) => window.addEventListener("online", resolve, { once: true })),
    ]);
    button.hidden = true;
  },
};

function say(text: string): void {
  section("sending-state").textContent = text;
}

function finish(delivered: Delivered): void {
  if (delivered.kind === "receipt") done(delivered.receipt);
  else if (delivered.kind === "unsafe") fail(t("failed.unsafe"));
  else {
    const { title, detail, detail_en } = delivered.problem;
    const words = page.lang === "ja" ? [title, detail].filter((text) => text !== "") : [detail_en].filter((text) => text !== "");
    fail(...(words.length > 0 ? words : [t("failed.other")]));
  }
}

function fail(...why: readonly string[]): void {
  section("failed-why").replaceChildren(...why.map((text) => el("p", {}, text)));
  go("failed");
}

function done(receipt: Receipt): void {
  fields.emptyForm();
  section("summary").replaceChildren();
  section("receipt").textContent = receipt.receipt;
  history.replaceState({ step: "done" }, "");
  go("done");
  void follow(receipt.application_id, section("standing-now"));
}

async function copy(): Promise<void> {
  const receipt = section("receipt").textContent ?? "";
  const copied = await navigator.clipboard.writeText(receipt).then(() => true, () => false);
  section("copied").textContent = t(copied ? "done.copied" : "done.copy-by-hand");
}

/** What the page shows is what this tab remembers: after a reload, the back button, or a restored page. */
function resume(): void {
  const receipt = memory.receipt;
  if (receipt !== null) done(receipt);
  else if (memory.pending !== null) void send();
  else {
    const remembered = memory.draft;
    if (remembered !== null) fields.writeDraft(remembered);
    chooser.show(standingOf(draft()), remembered?.choices ?? []);
    restanding();
    mailHint.show();
    go("form");
  }
}

function connect(): void {
  const form = byId("fields", HTMLFormElement);
  form.addEventListener("input", (event) => {
    typed();
    if (event.target instanceof HTMLElement) fields.corrected(event.target.id);
  });
  for (const field of ["standing", "age"] as const) fields.control(field).addEventListener("input", restanding);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void check();
  });
  section("send").addEventListener("click", () => void send());
  section("correct").addEventListener("click", () => history.back());
  section("again").addEventListener("click", () => resume());
  section("copy").addEventListener("click", () => void copy());
  section("print").addEventListener("click", () => window.print());
  section("another").addEventListener("click", () => {
    memory.wipe();
    location.reload();
  });
  window.addEventListener("popstate", () => {
    if (!delivering) resume();
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && !delivering) resume();
  });
}

connect();
section("program").hidden = false;
resume();
