/** Choose classes by number keys: the key adds the class as the next preference, or takes it away. + and − change seats. */

import { el, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import type { Choice, EventClass } from "./calls.ts";

export class ClassKeys {
  readonly #box = section("f-choices");
  readonly #list = section("class-list");
  #chosen: Choice[] = [];
  #locked = false;

  constructor(private readonly classes: readonly EventClass[], private readonly changed: (choices: Choice[]) => void) {
    this.#box.addEventListener("keydown", (event) => this.#pressed(event));
  }

  show(choices: readonly Choice[], locked: boolean): void {
    [this.#chosen, this.#locked] = [[...choices], locked];
    this.#draw();
  }

  #pressed(event: KeyboardEvent): void {
    if (this.#locked || event.isComposing || event.keyCode === 229 || event.ctrlKey || event.altKey || event.metaKey) return;
    const key = event.key.normalize("NFKC").toLowerCase();
    const found = this.classes.find((each) => each.key === key);
    if (found !== undefined) this.#toggle(found);
    else if (key === "+" || key === ";" || key === "arrowup") this.#moreSeats(1);
    else if (key === "-" || key === "arrowdown") this.#moreSeats(-1);
    else if (key === "backspace") this.#set(this.#chosen.slice(0, -1));
    else return;
    event.preventDefault();
  }

  #toggle(found: EventClass): void {
    const others = this.#chosen.filter((choice) => choice.class !== found.id);
    const isNew = others.length === this.#chosen.length;
    this.#set(isNew ? [...others, { class: found.id, seats: found.seats[0] ?? 1 }] : others);
  }

  /** Give the class that was chosen last the next number of seats that it offers. */
  #moreSeats(step: 1 | -1): void {
    const last = this.#chosen.at(-1);
    const seats = this.classes.find((each) => each.id === last?.class)?.seats ?? [];
    const next = seats[seats.indexOf(last?.seats ?? 0) + step];
    if (last !== undefined && next !== undefined) this.#set([...this.#chosen.slice(0, -1), { class: last.class, seats: next }]);
  }

  #set(choices: Choice[]): void {
    this.#chosen = choices;
    this.#draw();
    this.changed([...choices]);
  }

  #draw(): void {
    this.#list.replaceChildren(...this.classes.map((each) => this.#line(each)));
    section("class-live").textContent = this.#chosen
      .map((choice, index) => t("keying.choices.ranked", { rank: index + 1, title: this.#title(choice), seats: choice.seats }))
      .join(t("list.and"));
  }

  #line(each: EventClass): HTMLElement {
    const rank = this.#chosen.findIndex((choice) => choice.class === each.id);
    const seats = this.#chosen[rank]?.seats;
    const ranked = rank < 0 ? [] : [el("strong", {}, t("keying.choices.rank", { rank: rank + 1 }))];
    const places = seats === undefined || each.seats.length === 1 && seats === 1 ? [] : [el("span", {}, t("keying.choices.seats", { seats }))];
    return el("li", { class: rank < 0 ? "" : "chosen" }, el("kbd", {}, each.key), el("span", {}, `${each.title}`), ...ranked, ...places);
  }

  #title(choice: Choice): string {
    return this.classes.find((each) => each.id === choice.class)?.title ?? choice.class;
  }
}
