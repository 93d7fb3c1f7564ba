/** Run the status page: a receipt number in any spelling, and the status of its application. */

import { byId, el, section } from "#shared/dom.ts";
import { normaliseReceipt } from "#shared/receipts.ts";
import * as intake from "./intake_client.ts";
import { page, t } from "./page.ts";
import { describeStatus } from "./status_poll.ts";

async function ask(): Promise<void> {
  const receipt = normaliseReceipt(byId("receipt", HTMLInputElement).value);
  const wrong = receipt === null ? t("status.form") : "";
  section("receipt-error").textContent = wrong;
  section("field-receipt").classList.toggle("wrong", wrong !== "");
  byId("receipt", HTMLInputElement).toggleAttribute("aria-invalid", wrong !== "");
  if (receipt === null) {
    byId("receipt", HTMLInputElement).focus();
    return;
  }
  show(t("status.waiting"));
  try {
    const path = `/v1/campaigns/${page.rules.campaign}/receipts/${receipt}`;
    const status = await intake.status(path);
    if (status === null) show(t("status.unknown"));
    else section("answer").replaceChildren(el("p", {}, `${t("status.receipt")} `, el("strong", {}, status.receipt)), ...describeStatus(status));
  } catch {
    show(t("status.away"));
  }
}

function show(text: string): void {
  section("answer").replaceChildren(el("p", { class: "state" }, text));
}

section("ask").hidden = false;
section("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  void ask();
});
