/** Part of /verify for a receipt document: chosen as a file or pasted, and what the checks found. */

import { byId, el, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import { checkLine } from "./result_view.ts";
import type { ReceiptFound } from "./verify-work.entry.ts";

/** Connect the fields. `onAsk` is called with the text of a receipt document. */
export function connectReceipt(onAsk: (text: string) => void): void {
  const [file, pasted] = [byId("receipt-file", HTMLInputElement), byId("receipt-text", HTMLTextAreaElement)];
  const ask = (text: string): void => {
    section("receipt-found").replaceChildren(el("p", {}, t("verify.working")));
    onAsk(text);
  };
  file.addEventListener("change", () => void file.files?.[0]?.text().then((text) => {
    pasted.value = text;
    ask(text);
  }));
  section("receipt-form").addEventListener("submit", (event) => {
    event.preventDefault();
    ask(pasted.value);
  });
}

/** Show the checks and the verdict, or why there are none. */
export function showReceiptFound(found: ReceiptFound): void {
  const wrong = found === "form";
  const field = byId("receipt-text", HTMLTextAreaElement);
  section("receipt-text-error").textContent = wrong ? t("verify.receipt.form") : "";
  section("field-receipt-text").classList.toggle("wrong", wrong);
  if (!wrong) field.removeAttribute("aria-invalid");
  if (found === "form") {
    section("receipt-found").replaceChildren();
    field.setAttribute("aria-invalid", "true");
    return field.focus();
  }
  if (found === "away") return section("receipt-found").replaceChildren(el("p", { class: "state state-unready" }, t("verify.receipt.away")));
  const good = found.checks.every(({ passed }) => passed);
  const verdict = good ? (found.alone ? "verify.receipt.alone" : "verify.receipt.good") : "verify.receipt.bad";
  section("receipt-found").replaceChildren(
    el("p", { class: `verdict ${good ? "verdict-good" : "verdict-bad"}` }, t(verdict)),
    el("ul", { class: "checks" }, ...found.checks.map(checkLine)),
  );
}
