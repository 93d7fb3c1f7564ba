/** Filling the address in from the postal code: seven digits go to intake, and nothing else. */

import { byId, el, section } from "#shared/dom.ts";
import * as intake from "./intake.ts";
import { postalCode } from "./normalise.ts";
import { t } from "./page.ts";

/** Looks codes up as they are typed, fills the town field, and remembers the municipalities for the checks. */
export class PostalCodes {
  readonly #known = new Map<string, readonly intake.Place[]>();
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

  /** Ask once more where an answer is missing, so that the checks know what the vault will know. */
  async ensure(typed: string): Promise<void> {
    const code = postalCode(typed);
    if (!/^[0-9]{7}$/u.test(code) || this.#known.has(code)) return;
    try {
      this.#known.set(code, await intake.places(code));
    } catch {
      // The checks then go by the address alone; the vault decides in the end.
    }
  }

  async #typed(): Promise<void> {
    const typed = byId("postal_code", HTMLInputElement).value;
    this.#say();
    if (!/^[0-9]{7}$/u.test(postalCode(typed))) return;
    await this.ensure(typed);
    if (typed !== byId("postal_code", HTMLInputElement).value) return;
    const places = this.#known.get(postalCode(typed));
    if (places === undefined) this.#say(t("form.postal_code.away"));
    else this.#offer(places);
  }

  #offer(places: readonly intake.Place[]): void {
    const towns = [...new Set(places.map((place) => place.prefecture + place.municipality + place.town))];
    const [only, ...more] = towns;
    const whole = places.every((place) => place.town !== "");
    if (only === undefined) this.#say(t("form.postal_code.unknown"));
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
    this.#say(hint);
    this.#changed();
  }

  #say(text = ""): void {
    section("postal_code-live").replaceChildren(...(text === "" ? [] : [el("p", { class: "support" }, text)]));
  }
}
