/** Fill in the address from the postal code; the program sends seven digits to intake and nothing else. */

import { byId, el, section } from "#shared/dom.ts";
import * as intake from "./intake_client.ts";
import { postalCode } from "./normalise.ts";
import { t } from "./page.ts";

/** Looks codes up while they are typed, fills the town field, and keeps the municipalities for the checks. */
export class PostalCodes {
  readonly #known = new Map<string, readonly intake.PostalTown[]>();
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
    byId("postal_code", HTMLInputElement).addEventListener("input", () => void this.#typed());
  }

  /** The municipalities of the typed code behind their prefecture; none while the code is not known. */
  municipalities(typed: string): readonly string[] {
    const places = this.#known.get(postalCode(typed)) ?? [];
    return [...new Set(places.map((place) => place.prefecture + place.municipality))];
  }

  /** Look the code up again if an answer is missing, so that the form checks with the data that the vault uses. */
  async ensure(typed: string): Promise<void> {
    const code = postalCode(typed);
    if (!/^[0-9]{7}$/u.test(code) || this.#known.has(code)) return;
    try {
      this.#known.set(code, await intake.postalTowns(code));
    } catch {
      // The checks then go by the address alone; the vault decides in the end.
    }
  }

  async #typed(): Promise<void> {
    const typed = byId("postal_code", HTMLInputElement).value;
    const town = byId("town", HTMLInputElement);
    const before = town.value;
    this.#show();
    if (!/^[0-9]{7}$/u.test(postalCode(typed))) return;
    await this.ensure(typed);
    if (typed !== byId("postal_code", HTMLInputElement).value) return;
    if (town.value !== before) return this.#changed(); // typed by the applicant while the answer was on its way
    const found = this.#known.get(postalCode(typed));
    if (found === undefined) this.#show(t("form.postal_code.away"));
    else this.#offer(found);
  }

  #offer(found: readonly intake.PostalTown[]): void {
    const towns = [...new Set(found.map((town) => town.prefecture + town.municipality + town.town))];
    const [only, ...more] = towns;
    const whole = found.every((town) => town.town !== "");
    if (only === undefined) this.#show(t("form.postal_code.unknown"));
    else if (more.length === 0) this.#fill(only, t(whole ? "form.postal_code.found" : "form.postal_code.part"));
    else this.#ask(towns);
  }

  #ask(towns: readonly string[]): void {
    const buttons = towns.map((town) => {
      const button = el("button", { type: "button", class: "button button-text" }, town);
      button.addEventListener("click", () => this.#fill(town));
      return el("li", {}, button);
    });
    section("postal_code-live").replaceChildren(el("p", {}, t("form.postal_code.many")), el("ul", { class: "towns" }, ...buttons));
  }

  #fill(town: string, hint = t("form.postal_code.found")): void {
    byId("town", HTMLInputElement).value = town;
    this.#show(hint);
    this.#changed();
  }

  #show(text = ""): void {
    section("postal_code-live").replaceChildren(...(text === "" ? [] : [el("p", { class: "support" }, text)]));
  }
}
