/** Run the status page: an application's status by receipt number, and with its code the way to correct or withdraw. */

import { entryId, entryNumber, parseCode } from "#shared/codes.ts";
import { byId, el, section } from "#shared/dom.ts";
import { normaliseReceipt } from "#shared/receipts.ts";
import * as intake from "./intake_client.ts";
import { KeptReceipts, type KeptReceipt } from "./kept_receipts.ts";
import { page, t } from "./page.ts";
import { describeStatus } from "./status_poll.ts";
import { TabStorage } from "./tab_storage.ts";

const { campaign } = page.rules;
const kept = new KeptReceipts(campaign);
const receiptField = byId("receipt", HTMLInputElement);
const codeField = byId("code", HTMLInputElement);

async function ask(): Promise<void> {
  const receipt = normaliseReceipt(receiptField.value);
  const code = codeField.value.trim() === "" ? "" : parseCode(codeField.value);
  showMistake("code", code === null ? t("status.code.form") : "");
  showMistake("receipt", receipt === null ? t("status.form") : "");
  section("own").hidden = true;
  showResultLink(null);
  if (receipt === null || code === null) return;
  show(t("status.waiting"));
  try {
    const status = await intake.status(`/v1/campaigns/${campaign}/receipts/${receipt}`);
    if (status === null) return show(t("status.unknown"));
    section("answer").replaceChildren(el("p", {}, `${t("status.receipt")} `, el("strong", {}, status.receipt)), ...describeStatus(status));
    showResultLink(status);
    showOwn(status, code);
  } catch {
    show(t("status.away"));
  }
}

/** Lead to the own result once the draw is published. The number stands behind `#`, so that it is not sent in an address. */
function showResultLink(status: intake.Status | null): void {
  const box = document.getElementById("result");
  const link = box?.querySelector("a");
  if (!box || !link) return;
  box.hidden = status?.status !== "drawn";
  link.hash = status?.receipt ?? "";
}

/** Show what the applicant can do. The entry number is computed here, so that a wrong code is noticed on the sheet. */
function showOwn(status: intake.Status, code: string): void {
  const canChange = page.is_open && status.status !== "drawn";
  section("own").hidden = false;
  section("own-closed").hidden = canChange;
  section("own-hint").hidden = !canChange || code !== "";
  section("own-number").hidden = code === "";
  section("own-actions").hidden = !canChange || code === "";
  section("withdraw").hidden = status.status === "withdrawn";
  if (code === "") return;
  const number = entryNumber(entryId(campaign, status.application_id, code));
  section("entry-number").textContent = number ?? t("status.code.form");
  for (const link of section("verify-box").querySelectorAll("a")) link.hash = number ?? "";
  section("correct").onclick = () => open(status, code, false);
  section("withdraw").onclick = () => open(status, code, true);
}

/** Open the form of this tab for a correction, or the question before a withdrawal. */
function open({ receipt, application_id }: intake.Status, code: string, withdraw: boolean): void {
  const storage = new TabStorage(campaign);
  storage.draft = null;
  storage.own = { receipt, application_id, code, withdraw };
  location.assign(byId("to-apply", HTMLAnchorElement).href);
}

function show(text: string): void {
  section("answer").replaceChildren(el("p", { class: "state" }, text));
}

function showMistake(field: "receipt" | "code", text: string): void {
  const input = byId(field, HTMLInputElement);
  section(`${field}-error`).textContent = text;
  section(`field-${field}`).classList.toggle("wrong", text !== "");
  if (text === "") return input.removeAttribute("aria-invalid");
  input.setAttribute("aria-invalid", "true");
  input.focus();
}

function showKept(): void {
  section("kept").hidden = kept.all.length === 0;
  section("kept-list").replaceChildren(...kept.all.map(keptLine));
}

function keptLine(receipt: KeptReceipt): HTMLElement {
  const { receipt: number } = receipt.document;
  const use = el("button", { type: "button", class: "button button-text" }, t("status.kept.use", { receipt: number }));
  const forget = el("button", { type: "button", class: "button button-text" }, t("status.kept.forget", { receipt: number }));
  use.addEventListener("click", () => {
    receiptField.value = number;
    codeField.value = receipt.code;
    void ask();
  });
  forget.addEventListener("click", () => {
    kept.forget(number);
    showKept();
    receiptField.focus();
  });
  return el("li", {}, use, " ", forget);
}

section("ask").hidden = false;
section("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  void ask();
});
showKept();
