/** Ask below the mail field whether a mistyped domain was meant otherwise, with a button that corrects it. */

import { byId, el, section } from "#shared/dom.ts";
import { isBeginning, suggestAddress } from "./mail_domains.ts";
import { email } from "./normalise.ts";
import { t } from "./page.ts";

/** Shows the hint while the applicant types and when the field is left; never refuses an address. */
export class MailHint {
  readonly #field = byId("email", HTMLInputElement);
  readonly #changed: () => void;
  #shown: string | null = null;

  constructor(changed: () => void) {
    this.#changed = changed;
    this.#field.addEventListener("input", () => this.#typing());
    this.#field.addEventListener("change", () => this.show());
  }

  /** Show the hint for the field as it stands, or remove it. */
  show(): void {
    this.#offer(suggestAddress(email(this.#field.value)));
  }

  /** A domain that is only half typed gets no hint. */
  #typing(): void {
    const address = email(this.#field.value);
    this.#offer(isBeginning(address.slice(address.lastIndexOf("@") + 1)) ? null : suggestAddress(address));
  }

  #offer(address: string | null): void {
    if (address === this.#shown) return;
    this.#shown = address;
    section("email-live").replaceChildren(...(address === null ? [] : this.#hint(address)));
  }

  #hint(address: string): readonly HTMLElement[] {
    const use = el("button", { type: "button", class: "button button-text", id: "email-use" }, t("form.email.use", { address }));
    use.addEventListener("click", () => this.#use(address));
    return [el("p", { class: "support" }, t("form.email.doubt", { address })), use];
  }

  #use(address: string): void {
    this.#field.value = address;
    this.#offer(null);
    this.#field.focus();
    this.#changed();
  }
}
