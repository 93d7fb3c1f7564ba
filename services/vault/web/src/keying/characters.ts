/** Pick a character that cannot be typed, among the forms of one that can be, by its reading or by its parts; or 〓, "as drawn", for one that no font has. */

import { byId, el, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import { charactersLike } from "./calls.ts";

/** Stands in a name for a character that no font has; the print room leaves such a card to be addressed by hand. */
const AS_DRAWN = "〓";
const KEYS = "123456789";

export class CharacterPicker {
  readonly #dialog = byId("characters", HTMLDialogElement);
  readonly #like = byId("like", HTMLInputElement);
  #found: readonly string[] = [];
  #at: { readonly input: HTMLInputElement; readonly start: number; readonly end: number } | null = null;

  constructor() {
    this.#dialog.addEventListener("keydown", (event) => this.#pressed(event));
  }

  get isOpen(): boolean {
    return this.#dialog.open;
  }

  /** Open for the cursor of this field. */
  open(input: HTMLInputElement): void {
    this.#at = { input, start: input.selectionStart ?? input.value.length, end: input.selectionEnd ?? input.value.length };
    this.#like.value = "";
    this.#show([]);
    this.#dialog.showModal();
    this.#like.focus();
  }

  #pressed(event: KeyboardEvent): void {
    if (event.isComposing || event.keyCode === 229) return;
    const key = event.key.normalize("NFKC");
    if (event.key === "Enter" && document.activeElement === this.#like) {
      event.preventDefault();
      void this.#look();
    } else if (document.activeElement !== this.#like || this.#like.value === "") {
      const chosen = key === "0" ? AS_DRAWN : this.#found[KEYS.indexOf(key)];
      if (chosen === undefined || key.length !== 1) return;
      event.preventDefault();
      this.#choose(chosen);
    }
  }

  async #look(): Promise<void> {
    const text = this.#like.value.trim();
    if (text === "") return;
    this.#show(await charactersLike(text));
    // Where nothing was found the cursor stays: a second Enter must not write 〓 into a name.
    if (this.#found.length > 0) section("character-list").querySelector("button")?.focus();
  }

  #show(found: readonly string[]): void {
    this.#found = found;
    const lines = [...found.map((one, index) => this.#button(KEYS[index] ?? "", one, one)), this.#button("0", t("keying.characters.as-drawn"), AS_DRAWN)];
    section("character-list").replaceChildren(...lines);
  }

  #button(key: string, text: string, chosen: string): HTMLElement {
    const button = el("button", { type: "button", class: "button button-text" }, ...(key === "" ? [] : [el("kbd", {}, key), " "]), text);
    button.addEventListener("click", () => this.#choose(chosen));
    return el("li", {}, button);
  }

  #choose(character: string): void {
    this.#dialog.close();
    if (this.#at === null) return;
    const { input, start, end } = this.#at;
    input.focus();
    input.setRangeText(character, start, end, "end");
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
