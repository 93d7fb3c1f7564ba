/** The status page: a receipt number in any spelling, and how that application stands. */

import { byId, el, section } from "#shared/dom.ts";
import { normaliseReceipt } from "#shared/receipts.ts";
import * as intake from "./intake.ts";
import { page, t } from "./page.ts";
import { shown } from "./standing.ts";

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
  say(t("status.waiting"));
  try {
    const path = `/v1/campaigns/${page.rules.campaign}/receipts/${receipt}`;
    const status = await intake.status(path);
    if (status === null) say(t("status.unknown"));
    else section("answer").replaceChildren(el("p", {}, `${t("status.receipt")} `, el("strong", {}, status.receipt)), ...shown(status));
  } catch {
    say(t("status.away"));
  }
}

function say(text: string): void {
  section("answer").replaceChildren(el("p", { class: "state" }, text));
}

section("ask").hidden = false;
section("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  void ask();
});
