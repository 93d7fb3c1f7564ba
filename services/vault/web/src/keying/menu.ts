/** The menu of a paper, by number keys: a further application on it, a paper without one, or back to the pool. */

import { byId, el, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import { page } from "./calls.ts";

interface Acts {
  readonly add: () => void;
  readonly remove: () => void;
  readonly discard: (reason: string) => void;
  readonly back: () => void;
}

interface Line {
  readonly key: string;
  readonly text: string;
  readonly act: () => void;
}

export class Menu {
  readonly #dialog = byId("menu", HTMLDialogElement);
  #lines: readonly Line[] = [];

  constructor(private readonly acts: Acts) {
    this.#dialog.addEventListener("keydown", (event) => {
      const line = this.#lines.find(({ key }) => key === event.key.normalize("NFKC"));
      if (line === undefined || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#choose(line);
    });
  }

  get isOpen(): boolean {
    return this.#dialog.open;
  }

  open({ canAdd, canRemove }: { readonly canAdd: boolean; readonly canRemove: boolean }): void {
    const reasons = page.discard_reasons.map((reason) => ({ text: t("keying.menu.discard", { reason: t(`keying.discard.${reason}`) }), act: () => this.acts.discard(reason) }));
    const acts = [
      ...(canAdd ? [{ text: t("keying.menu.add"), act: this.acts.add }] : []),
      ...(canRemove ? [{ text: t("keying.menu.remove"), act: this.acts.remove }] : []),
      ...reasons,
    ];
    this.#lines = [...acts.map((each, index) => ({ ...each, key: String(index + 1) })), { key: "0", text: t("keying.menu.back"), act: this.acts.back }];
    section("menu-lines").replaceChildren(...this.#lines.map((line) => this.#button(line)));
    this.#dialog.showModal();
  }

  #button(line: Line): HTMLElement {
    const button = el("button", { type: "button", class: "button button-text" }, el("kbd", {}, line.key), ` ${line.text}`);
    button.addEventListener("click", () => this.#choose(line));
    return el("li", {}, button);
  }

  #choose(line: Line): void {
    this.#dialog.close();
    line.act();
  }
}
