/** Run the application form: fields, checks, confirmation, sealing, delivery, receipt. */

import { joinedAddress, needsGuardian, problems, readAgeOrGrade, type Draft } from "./application.ts";
import { Chooser } from "./class_chooser.ts";
import { deliver, type DeliveryResult, type DeliveryView } from "./delivery.ts";
import { byId, el, section, showOnly } from "#shared/dom.ts";
import * as fields from "./fields.ts";
import { suggestAddress } from "./mail_domains.ts";
import { MailHint } from "./mail_hint.ts";
import { TabStorage, type Receipt } from "./tab_storage.ts";
import { display, email, phone, postalCode } from "./normalise.ts";
import { now, page, t } from "./page.ts";
import { PostalCodes } from "./postal.ts";
import { residence } from "./residence.ts";
import { pollStatus } from "./status_poll.ts";

type Step = "form" | "confirm" | "sending" | "failed" | "done";
const STEPS: readonly Step[] = ["form", "confirm", "sending", "failed", "done"];
const HIGHLIGHTED: Readonly<Record<Step, string>> = {
  form: "step-form", confirm: "step-confirm", sending: "step-confirm", failed: "step-form", done: "step-done",
};

const rules = page.rules;
const storage = new TabStorage(rules.campaign);
const chooser = new Chooser(rules, choicesChanged);
const postal = new PostalCodes(townChanged);
const mailHint = new MailHint(emailChanged);
const trust = { pinned: page.signing_key, now };
let delivering = false;

function draft(): Draft {
  return fields.readDraft(chooser.choices);
}

/** Store the draft in this tab after every change. */
function saveDraft(): void {
  if (storage.receipt === null && !delivering) storage.draft = draft();
}

function choicesChanged(): void {
  saveDraft();
  fields.corrected("choices");
}

function townChanged(): void {
  saveDraft();
  fields.corrected("town");
}

function emailChanged(): void {
  saveDraft();
  fields.corrected("email");
}

function ageOrGradeChanged(): void {
  const current = draft();
  section("field-age").hidden = current.age_or_grade !== "age";
  section("field-guardian").hidden = !needsGuardian(current);
  chooser.show(readAgeOrGrade(current));
}

function showStep(step: Step): void {
  for (const id of new Set(Object.values(HIGHLIGHTED))) section(id).removeAttribute("aria-current");
  section(HIGHLIGHTED[step]).setAttribute("aria-current", "step");
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
  showStep("confirm");
}

function summarise(current: Draft): void {
  const lives = residence(joinedAddress(current), postal.municipalities(current.postal_code), rules.residency);
  section("mismatch").hidden = lives !== "contradiction";
  section("mail-doubt").hidden = suggestAddress(email(current.email)) === null;
  const lines: [string, string][] = [
    [t("form.name"), display(current.name)],
    [t("form.age_or_grade"), describeAge(current)],
    ...(needsGuardian(current) ? [[t("form.guardian"), display(current.guardian)] as [string, string]] : []),
    [t("form.postal_code"), postalCode(current.postal_code).replace(/^(.{3})/u, "$1-")],
    [t("confirm.address"), joinedAddress(current)],
    [t("form.phone"), phone(current.phone)],
    [t("form.email"), email(current.email) || t("confirm.no-email")],
    ...current.choices.map((choice, index): [string, string] => [describeRank(index), describeChoice(choice)]),
  ];
  section("summary").replaceChildren(...lines.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function describeAge(current: Draft): string {
  const ageOrGrade = readAgeOrGrade(current);
  if (ageOrGrade === null) return "";
  return "grade" in ageOrGrade ? t(`grade.${ageOrGrade.grade}`) : `${ageOrGrade.age} ${t("form.age.unit")}`;
}

function describeRank(index: number): string {
  return rules.preferences ? t("form.choices.rank", { rank: index + 1 }) : t("form.choices");
}

function describeChoice(choice: Draft["choices"][number]): string {
  const chosen = rules.classes.find((eventClass) => eventClass.id === choice.class);
  const people = choice.seats > 1 ? ` (${t("form.choices.people", { seats: choice.seats })})` : "";
  return `${chosen?.number ?? ""} ${chosen?.title ?? choice.class}${people} — ${chosen?.when ?? ""}`;
}

/** Send at most once at a time, for any number of clicks; after a reload, continue with the sealed application. */
async function send(): Promise<void> {
  if (delivering) return;
  delivering = true;
  showStep("sending");
  try {
    finish(await deliver(storage.draft ?? draft(), rules, storage, trust, progress));
  } catch {
    fail(t("failed.other"));
  } finally {
    delivering = false;
  }
}

const progress: DeliveryView = {
  sealing: () => showProgress(t("sending.sealing")),
  sending: () => showProgress(t("sending.sending")),
  working: () => showProgress(t("sending.working")),
  wait: async (seconds) => {
    const button = byId("send-now", HTMLButtonElement);
    showProgress(t("sending.waiting", { seconds: Math.ceil(seconds) }));
    button.hidden = false;
    await Promise.race([
      new Promise((resolve) => setTimeout(resolve, 1000 * seconds)),
      new Promise((resolve) => button.addEventListener("click", resolve, { once: true })),
      new Promise((resolve) => window.addEventListener("online", resolve, { once: true })),
    ]);
    button.hidden = true;
  },
};

function showProgress(text: string): void {
  section("sending-state").textContent = text;
}

function finish(delivered: DeliveryResult): void {
  if (delivered.kind === "receipt") done(delivered.receipt);
  else if (delivered.kind === "unsafe") fail(t("failed.unsafe"));
  else {
    const { title, detail, detail_en } = delivered.problem;
    const words = page.lang === "ja" ? [title, detail].filter((text) => text !== "") : [detail_en].filter((text) => text !== "");
    fail(...(words.length > 0 ? words : [t("failed.other")]));
  }
}

function fail(...reasons: readonly string[]): void {
  section("failed-why").replaceChildren(...reasons.map((text) => el("p", {}, text)));
  showStep("failed");
}

function done(receipt: Receipt): void {
  fields.emptyForm();
  section("summary").replaceChildren();
  section("receipt").textContent = receipt.receipt;
  history.replaceState({ step: "done" }, "");
  showStep("done");
  void pollStatus(receipt.application_id, section("status-now"));
}

async function copy(): Promise<void> {
  const receipt = section("receipt").textContent ?? "";
  const copied = await navigator.clipboard.writeText(receipt).then(() => true, () => false);
  section("copied").textContent = t(copied ? "done.copied" : "done.copy-by-hand");
}

/** Show what this tab has stored: after a reload, the back button, or when the browser restores the page. */
function resume(): void {
  const receipt = storage.receipt;
  if (receipt !== null) done(receipt);
  else if (storage.pending !== null) void send();
  else {
    const stored = storage.draft;
    if (stored !== null) fields.writeDraft(stored);
    chooser.show(readAgeOrGrade(draft()), stored?.choices ?? []);
    ageOrGradeChanged();
    mailHint.show();
    showStep("form");
  }
}

function connect(): void {
  const form = byId("fields", HTMLFormElement);
  form.addEventListener("input", (event) => {
    saveDraft();
    if (event.target instanceof HTMLElement) fields.corrected(event.target.id);
  });
  for (const field of ["age_or_grade", "age"] as const) fields.control(field).addEventListener("input", ageOrGradeChanged);
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
    storage.wipe();
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
