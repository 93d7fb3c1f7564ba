/** Run the application form: fields, checks, confirmation, sealing, delivery, receipt; also for corrections. */

import { joinedAddress, needsGuardian, problems, readAgeOrGrade, type Draft } from "./application.ts";
import { Chooser } from "./class_chooser.ts";
import { showConflicts } from "./conflict_view.ts";
import { Delivery, type DeliveryResult, type Order } from "./delivery.ts";
import { progress } from "./delivery_progress.ts";
import { byId, el, section, showOnly } from "#shared/dom.ts";
import * as fields from "./fields.ts";
import * as intake from "./intake_client.ts";
import { KeptReceipts } from "./kept_receipts.ts";
import { suggestAddress } from "./mail_domains.ts";
import { MailHint } from "./mail_hint.ts";
import { TabStorage, type OwnApplication, type TabReceipt } from "./tab_storage.ts";
import { email } from "./normalise.ts";
import { now, page, t } from "./page.ts";
import { PostalCodes } from "./postal.ts";
import { ReceiptView, receiptButton } from "./receipt_view.ts";
import { residence } from "./residence.ts";
import { describeStatus, pollStatus } from "./status_poll.ts";
import { describeDraft } from "./summary.ts";

type Step = "form" | "confirm" | "withdrawal" | "sending" | "failed" | "done";
const STEPS: readonly Step[] = ["form", "confirm", "withdrawal", "sending", "failed", "done"];
const HIGHLIGHTED: Readonly<Record<Step, string>> = {
  form: "step-form", confirm: "step-confirm", withdrawal: "step-confirm", sending: "step-confirm", failed: "step-form", done: "step-done",
};

const rules = page.rules;
const storage = new TabStorage(rules.campaign);
const chooser = new Chooser(rules, changed("choices"));
const postal = new PostalCodes(changed("town"));
const mailHint = new MailHint(changed("email"));
const receipts = new ReceiptView(new KeptReceipts(rules.campaign), (receipt) => showReceipt(receipt));
/** What was sent from this page, by application id; in memory only, gone when the page is closed. */
const sentDrafts = new Map<string, Draft>();
let delivering = false;

function draft(): Draft {
  return fields.readDraft(chooser.choices);
}

/** Store the draft in this tab after every change. */
function saveDraft(): void {
  if (!delivering) storage.draft = draft();
}

/** Return what to do when a field was changed by something other than typing. */
function changed(field: string): () => void {
  return () => {
    saveDraft();
    fields.corrected(field);
  };
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

function showForm(): void {
  const { draft: stored, own, receipts: earlier } = storage;
  fields.clearProblems();
  if (stored === null) fields.emptyForm();
  else fields.writeDraft(stored);
  chooser.show(readAgeOrGrade(draft()), stored?.choices ?? []);
  ageOrGradeChanged();
  mailHint.show();
  section("correcting").hidden = own === null;
  section("correcting-receipt").textContent = own?.receipt ?? "";
  section("correcting-how").textContent = t(stored === null ? "correct.how" : "correct.how-filled");
  section("household").hidden = true;
  section("postal_code-live").replaceChildren();
  section("earlier").hidden = own !== null || earlier.length === 0;
  section("earlier-list").replaceChildren(...earlier.map((receipt) => el("li", {}, receiptButton(receipt, showReceipt))));
  showStep("form");
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
  const kind = storage.own === null ? "" : "-correction";
  section("mismatch").hidden = lives !== "contradiction";
  section("mail-doubt").hidden = suggestAddress(email(current.email)) === null;
  showConflicts("confirm-conflicts", current.choices);
  section("confirm-what").textContent = t(`confirm.what${kind}`);
  section("send").textContent = t(`confirm.send${kind}`);
  section("summary").replaceChildren(...describeDraft(current, rules).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

const delivery = new Delivery(rules, storage, { pinned: page.signing_key, intake: page.intake_keys, now }, progress);

/** Send at most once at a time, for any number of clicks; after a reload, continue with the sealed version. */
async function send(withdraw: boolean): Promise<void> {
  if (delivering) return;
  delivering = true;
  showStep("sending");
  const order = { own: storage.own, draft: withdraw ? null : (storage.draft ?? draft()) };
  try {
    finish(await delivery.deliver(order), order);
  } catch {
    fail(order, t("failed.other"));
  } finally {
    delivering = false;
  }
}

function finish(delivered: DeliveryResult, order: Order): void {
  if (delivered.kind === "receipt") return done(delivered.receipt, order);
  if (delivered.kind !== "refused") fail(order, t(`failed.${delivered.kind}`));
  else {
    const { title, detail, detail_en } = delivered.problem;
    const words = (page.lang === "ja" ? [title, detail] : [detail_en]).filter((text) => text !== "");
    fail(order, ...(words.length > 0 ? words : [t("failed.other")]));
  }
  if (delivered.kind === "version-taken" && order.own !== null) void showStatus(order.own);
}

function fail({ own, draft: sent }: Order, ...reasons: readonly string[]): void {
  section("failed-heading").textContent = t(own === null ? "failed.heading" : "failed.heading-own");
  section("failed-why").replaceChildren(...reasons.map((text) => el("p", {}, text)));
  section("failed-kept").hidden = sent === null;
  section("again").textContent = t(sent === null ? "failed.back-withdrawal" : "failed.back");
  showStep("failed");
}

/** Show how an application stands that was corrected elsewhere meanwhile. */
async function showStatus(own: OwnApplication): Promise<void> {
  const status = await intake.status(`/v1/applications/${own.application_id}`).catch(() => null);
  if (status !== null) section("failed-why").append(...describeStatus(status));
}

/** Keep what was sent in the memory of this page only, and show the receipt. */
function done(receipt: TabReceipt, { draft: sent }: Order): void {
  if (sent !== null) sentDrafts.set(receipt.document.application_id, sent);
  fields.emptyForm();
  section("summary").replaceChildren();
  history.replaceState({ step: "done" }, "");
  showReceipt(receipt);
}

function showReceipt(receipt: TabReceipt): void {
  receipts.show(receipt, storage.receipts);
  showStep("done");
  void pollStatus(receipt.document.application_id, section("status-now"), () => receipts.current === receipt);
}

/** Begin a correction: with what was sent from this page, else with an empty form. */
function correct(): void {
  const own = receipts.own(false);
  if (own === null) return;
  storage.own = own;
  storage.draft = sentDrafts.get(own.application_id) ?? null;
  history.pushState({ step: "form" }, "");
  showForm();
}

function askWithdrawal(): void {
  const own = receipts.own(true);
  if (own === null) return;
  storage.own = own;
  history.pushState({ step: "withdrawal" }, "");
  showWithdrawal(own);
}

function showWithdrawal(own: OwnApplication): void {
  section("withdrawal-receipt").textContent = own.receipt;
  showStep("withdrawal");
}

/** End a correction or withdrawal without sending anything. */
function leaveOwn(): void {
  storage.own = null;
  storage.draft = null;
  if (storage.receipts.length > 0) resume();
  else location.assign(byId("to-status", HTMLAnchorElement).href);
}

/** Begin another person's application with what one household shares, if it was sent from this page. */
function another(): void {
  const sent = receipts.current === null ? undefined : sentDrafts.get(receipts.current.document.application_id);
  const household = sent === undefined ? null : { ...sent, name: "", age_or_grade: "", age: "", choices: [] };
  storage.own = null;
  storage.draft = household;
  history.pushState({ step: "form" }, "");
  showForm();
  section("household").hidden = household === null;
}

/** Show what this tab has stored: after a reload, the back button, or when the browser restores the page. */
function resume(): void {
  const { pending, own, receipts: stored, draft: typed } = storage;
  const [newest] = stored;
  if (pending !== null) void send(pending.withdrawn);
  else if (own?.withdraw === true) showWithdrawal(own);
  else if (newest !== undefined && own === null && typed === null) showReceipt(newest);
  else showForm();
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
  const presses: Readonly<Record<string, () => void>> = {
    send: () => void send(false), "send-withdrawal": () => void send(true), back: () => history.back(), again: resume,
    correct, withdraw: askWithdrawal, another, "leave-correction": leaveOwn, "leave-withdrawal": leaveOwn,
    finish: () => { storage.wipe(); location.assign(byId("to-event", HTMLAnchorElement).href); },
  };
  for (const [id, press] of Object.entries(presses)) section(id).addEventListener("click", press);
  window.addEventListener("popstate", ({ state }: PopStateEvent) => {
    // A link to a field in the list of mistakes also comes here; the form then stays as it is.
    const staysInForm = !section("form").hidden && ((state as { step?: Step } | null)?.step ?? "form") === "form";
    if (!delivering && !staysInForm) resume();
  });
  window.addEventListener("pageshow", ({ persisted }) => { if (persisted && !delivering) resume(); });
}

connect();
section("program").hidden = false;
resume();
