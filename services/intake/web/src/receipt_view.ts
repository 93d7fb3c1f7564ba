/** View of a receipt: numbers, code, classes chosen on this device, and the receipt document as a QR code. */

import { entryId, entryNumber, formatCode } from "#shared/codes.ts";
import { byId, el, section } from "#shared/dom.ts";
import { canonical } from "#shared/encoding.ts";
import { qrImage } from "#shared/qr_image.ts";
import type { KeptReceipt, KeptReceipts } from "./kept_receipts.ts";
import { page, t } from "./page.ts";
import { describeChoices } from "./summary.ts";
import type { OwnApplication, TabReceipt } from "./tab_storage.ts";

/** Shows one receipt of this tab at a time. `onSelect` is called when the applicant wants to see another one. */
export class ReceiptView {
  private shown: TabReceipt | null = null;

  constructor(private readonly kept: KeptReceipts, private readonly onSelect: (receipt: TabReceipt) => void) {
    section("copy").addEventListener("click", () => void this.copy());
    section("print").addEventListener("click", () => window.print());
    section("save-document").addEventListener("click", () => this.saveDocument());
    byId("keep", HTMLInputElement).addEventListener("change", () => this.keep());
  }

  get current(): TabReceipt | null {
    return this.shown;
  }

  /** Return the application of the receipt that is shown, to correct or to withdraw it. */
  own(withdraw: boolean): OwnApplication | null {
    if (this.shown === null) return null;
    const { document, code } = this.shown;
    return { receipt: document.receipt, application_id: document.application_id, code, withdraw };
  }

  /** Show a receipt. `all`: receipts of this tab; the others are listed by number and class. */
  show(receipt: TabReceipt, all: readonly TabReceipt[]): void {
    this.shown = receipt;
    const { document, withdrawn, choices } = receipt;
    section("done-heading").textContent = t(withdrawn ? "done.heading-withdrawn" : document.version > 1 ? "done.heading-corrected" : "done.heading");
    section("receipt").textContent = document.receipt;
    section("code").textContent = formatCode(receipt.code);
    showEntryNumber(receipt);
    section("chosen-box").hidden = choices.length === 0;
    section("chosen").replaceChildren(...describeChoices(choices, page.rules).map((text) => el("li", {}, text)));
    section("receipt-code").replaceChildren(qrImage(canonical({ ...document }), t("done.document")));
    section("copied").textContent = "";
    section("document-saved").textContent = "";
    section("change-where").textContent = t("done.change.where", { address: byId("to-status", HTMLAnchorElement).href });
    byId("keep", HTMLInputElement).checked = this.kept.has(document.receipt);
    if (this.kept.has(document.receipt)) this.kept.keep(receipt);
    section("withdraw").hidden = withdrawn;
    this.showOthers(all.filter((other) => other.document.receipt !== document.receipt));
  }

  private showOthers(others: readonly TabReceipt[]): void {
    section("others").hidden = others.length === 0;
    section("others-list").replaceChildren(...others.map((other) => el("li", {}, receiptButton(other, this.onSelect))));
  }

  private keep(): void {
    const box = byId("keep", HTMLInputElement);
    if (this.shown === null) return;
    if (!box.checked) this.kept.forget(this.shown.document.receipt);
    else if (!this.kept.keep(this.shown)) box.checked = false;
    section("copied").textContent = t(box.checked ? "done.kept" : "done.not-kept");
  }

  /** Save the receipt document as a file, as `./kuji verify` and `/verify` read it. It has neither code nor name. */
  private saveDocument(): void {
    if (this.shown === null) return;
    const { document } = this.shown;
    const file = new Blob([canonical({ ...document })], { type: "application/json" });
    const address = URL.createObjectURL(file);
    el("a", { href: address, download: `receipt-${document.receipt}.json` }).click();
    setTimeout(() => { URL.revokeObjectURL(address); }, 60_000);
    section("document-saved").textContent = t("done.document.saved", { receipt: document.receipt });
  }

  private async copy(): Promise<void> {
    if (this.shown === null) return;
    const { document, code } = this.shown;
    const text = `${t("done.receipt")} ${document.receipt}\n${t("done.code")} ${formatCode(code)}`;
    const copied = await navigator.clipboard.writeText(text).then(() => true, () => false);
    section("copied").textContent = t(copied ? "done.copied" : "done.copy-by-hand");
  }
}

/** Return a button that names a receipt by number and classes, so that two children's receipts can be told apart. */
export function receiptButton(receipt: TabReceipt, onSelect: (receipt: TabReceipt) => void): HTMLButtonElement {
  const classes = receipt.choices.map((choice) => page.rules.classes.find(({ id }) => id === choice.class)?.title ?? choice.class);
  const what = receipt.withdrawn ? [t("done.withdrawn")] : classes;
  const button = el("button", { type: "button", class: "button button-text" }, [receipt.document.receipt, ...what].join(" "));
  button.addEventListener("click", () => onSelect(receipt));
  return button;
}

/** Show the entry number, which is computed from application id and code, with a link to the check of the draw. */
export function showEntryNumber({ document, code }: KeptReceipt): void {
  const number = entryNumber(entryId(document.campaign, document.application_id, code)) ?? "";
  section("entry-number").textContent = number;
  for (const link of section("verify-box").querySelectorAll("a")) link.hash = number;
}
