/** Let the applicant choose classes in an order of preference; show why the other classes are not open. */

import type { Choice } from "./application.ts";
import type { EventClass, Rules } from "./campaign.ts";
import { showConflicts } from "./conflict_view.ts";
import { el, section } from "#shared/dom.ts";
import { mayTake, type AgeOrGrade } from "./eligibility.ts";
import { t } from "./page.ts";

export class Chooser {
  readonly #rules: Rules;
  readonly #changed: () => void;
  #ageOrGrade: AgeOrGrade | null = null;
  #choices: readonly Choice[] = [];

  constructor(rules: Rules, changed: () => void) {
    this.#rules = rules;
    this.#changed = changed;
  }

  get choices(): readonly Choice[] {
    return this.#choices;
  }

  /** Show the classes for an age or grade. Choices that are not open to it are removed, because they become invisible. */
  show(ageOrGrade: AgeOrGrade | null, choices: readonly Choice[] = this.#choices): void {
    this.#ageOrGrade = ageOrGrade;
    const open = this.#open().map((each) => each.id);
    this.#choices = ageOrGrade === null ? choices : choices.filter((choice) => open.includes(choice.class));
    this.#draw();
  }

  #open(): readonly EventClass[] {
    const ageOrGrade = this.#ageOrGrade;
    return ageOrGrade === null ? [] : this.#rules.classes.filter((each) => mayTake(ageOrGrade, each));
  }

  #draw(): void {
    const open = this.#open();
    const others = this.#rules.classes.filter((each) => !open.includes(each));
    const list = section("choices");
    if (this.#ageOrGrade === null) list.replaceChildren(el("p", {}, t("form.choices.first")));
    else {
      const mine = open.length === 0 ? [el("p", { class: "state state-unready" }, t("form.choices.none"))] : open.map((each) => this.#option(each));
      list.replaceChildren(...mine, ...this.#order(), ...this.#notOpen(others));
    }
    showConflicts("choices-conflicts", this.#choices);
  }

  #option(each: EventClass): HTMLElement {
    const id = `class-${each.id}`;
    const rank = this.#choices.findIndex((choice) => choice.class === each.id);
    const box = el("input", { type: "checkbox", id, "aria-describedby": `${id}-about` });
    box.checked = rank >= 0;
    box.addEventListener("change", () => this.#toggle(each, box.checked));
    const ranked = rank >= 0 && this.#rules.preferences ? [el("span", { class: "rank" }, t("form.choices.rank", { rank: rank + 1 }))] : [];
    return el(
      "div", { class: rank >= 0 ? "option chosen" : "option" },
      el("label", { for: id }, box, el("span", {}, `${each.number} ${each.title}`), ...ranked),
      el("p", { class: "about", id: `${id}-about` }, `${each.when} / ${each.who}`),
      ...this.#seats(each, rank),
    );
  }

  #seats(each: EventClass, rank: number): readonly HTMLElement[] {
    const [only, ...more] = each.seats;
    if (more.length === 0) return only === 1 ? [] : [el("p", { class: "about" }, t("form.choices.fixed", { seats: only ?? 1 }))];
    if (rank < 0) return [];
    const id = `seats-${each.id}`;
    const select = el("select", { id }, ...each.seats.map((seats) => el("option", { value: String(seats) }, t("form.choices.people", { seats }))));
    select.value = String(this.#choices[rank]?.seats);
    select.addEventListener("change", () => this.#setSeats(each, Number(select.value)));
    return [el("p", { class: "about" }, el("label", { for: id }, `${t("form.choices.seats")} `), select)];
  }

  /** Return the list of preferences, with a button on each but the first that moves it up: no dragging, no disabled control. */
  #order(): readonly HTMLElement[] {
    if (!this.#rules.preferences || this.#choices.length < 2) return [];
    const lines = this.#choices.map((choice, index) => {
      const title = this.#title(choice);
      const label = t("form.choices.up", { title });
      const up = el("button", { type: "button", class: "button button-text", id: `up-${choice.class}` }, label);
      up.addEventListener("click", () => this.#moveUp(index));
      return el("li", {}, `${t("form.choices.rank", { rank: index + 1 })} ${title}`, ...(index > 0 ? [up] : []));
    });
    return [el("div", { class: "order" }, el("h3", {}, t("form.choices.order")), el("ol", {}, ...lines))];
  }

  #notOpen(others: readonly EventClass[]): readonly HTMLElement[] {
    if (others.length === 0) return [];
    const lines = others.map((each) => el("li", {}, `${each.number} ${each.title} — ${t("form.choices.others-why", { who: each.who })}`));
    return [el("div", { class: "others" }, el("h3", {}, t("form.choices.others")), el("ul", {}, ...lines))];
  }

  #toggle(each: EventClass, chosen: boolean): void {
    const others = this.#choices.filter((choice) => choice.class !== each.id);
    this.#choices = chosen ? [...others, { class: each.id, seats: each.seats[0] ?? 1 }] : others;
    this.#redraw(`class-${each.id}`);
  }

  #setSeats(each: EventClass, seats: number): void {
    this.#choices = this.#choices.map((choice) => (choice.class === each.id ? { ...choice, seats } : choice));
    this.#changed();
  }

  #moveUp(index: number): void {
    const moved = this.#choices[index];
    const above = this.#choices[index - 1];
    if (moved === undefined || above === undefined) return;
    this.#choices = [...this.#choices.slice(0, index - 1), moved, above, ...this.#choices.slice(index + 1)];
    this.#redraw(index > 1 ? `up-${moved.class}` : `class-${moved.class}`);
    section("choices-live").textContent = t("form.choices.moved", { title: this.#title(moved), rank: index });
  }

  /** Make the controls anew and put the focus back. */
  #redraw(focus: string): void {
    this.#draw();
    document.getElementById(focus)?.focus();
    this.#changed();
  }

  #title(choice: Choice): string {
    return this.#rules.classes.find((each) => each.id === choice.class)?.title ?? choice.class;
  }
}
