/** The applicant's form beside the picture: Enter moves on and saves at the end, F2 and F4 mark a field without a value, the code fills the town. */

import { byId, el, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import { page, towns, type FieldName, type Mark } from "./calls.ts";
import { ClassKeys } from "./choices.ts";
import { digits, FIELDS, needsGuardian, wrongFields, type Sheet, type TextField } from "./sheet.ts";
import { ageInWords } from "./words.ts";

export const isComposing = (event: KeyboardEvent): boolean => event.isComposing || event.keyCode === 229;

/** A town's name that ends so and a number behind it would become one number: a blank goes between them. */
const ENDS_IN_NUMBER = /[0-9A-Za-z〇零一二三四五六七八九十百千万]$/u;

export class SheetForm {
  #sheet: Sheet;
  #open: ReadonlySet<FieldName> | null = null;
  readonly #classes: ClassKeys;

  /** `left`: Enter was pressed in the last field. `changed`: after each change, for the page that shows differences. */
  constructor(sheet: Sheet, private readonly left: () => void, private readonly changed: () => void) {
    this.#sheet = sheet;
    this.#classes = new ClassKeys(page.classes, (choices) => {
      this.#sheet.choices = choices;
      delete this.#sheet.marks.choices;
      this.#showMarks();
      this.changed();
    });
    for (const field of FIELDS) section(`f-${field}`).addEventListener("keydown", (event) => this.#pressed(event, field));
    for (const field of FIELDS) if (field !== "choices") this.input(field).addEventListener("input", (event) => this.#typed(field, event instanceof InputEvent && event.isComposing));
    this.input("address").addEventListener("blur", () => {
      this.#came = false;
    });
    this.input("postal_code").addEventListener("compositionend", () => this.#typed("postal_code", false));
  }

  /** Show a sheet. `open`: the fields that may be changed, null for all. */
  show(sheet: Sheet, open: ReadonlySet<FieldName> | null): void {
    [this.#sheet, this.#open] = [sheet, open];
    for (const field of FIELDS) {
      const locked = this.#isLocked(field);
      section(`row-${field}`).classList.toggle("agreed", locked);
      section(`error-${field}`).textContent = "";
      if (field !== "choices") [this.input(field).value, this.input(field).readOnly] = [sheet.texts[field], locked];
    }
    section("town-choices").replaceChildren();
    this.#classes.show(sheet.choices, this.#isLocked("choices"));
    this.#showMarks();
    this.#showAge();
  }

  get sheet(): Sheet {
    return this.#sheet;
  }

  input(field: TextField): HTMLInputElement {
    return byId(`f-${field}`, HTMLInputElement);
  }

  /** Focus the first field that needs a value: of all, or of those that are open. */
  focusFirst(): void {
    this.focus(this.#order()[0] ?? "name");
  }

  focusLast(): void {
    this.focus(this.#order().at(-1) ?? "choices");
  }

  focus(field: FieldName): void {
    const element = section(`f-${field}`);
    element.focus();
    if (element instanceof HTMLInputElement) element.setSelectionRange(element.value.length, element.value.length);
  }

  /** Write under each field that is wrong what is missing, and focus the first; return false if there is one. */
  check(): boolean {
    const wrong = wrongFields(this.#sheet);
    for (const field of FIELDS) section(`error-${field}`).textContent = wrong.includes(field) ? t(`keying.wrong.${field}`) : "";
    if (wrong[0] !== undefined) this.focus(wrong[0]);
    return wrong.length === 0;
  }

  /** Mark the focused field as without a value, or take the same mark away. */
  mark(field: FieldName, mark: Mark): void {
    if (this.#isLocked(field)) return;
    const { marks } = this.#sheet;
    if (marks[field] === mark) delete marks[field];
    else marks[field] = mark;
    if (marks[field] !== undefined) this.#empty(field);
    this.#showMarks();
    this.changed();
  }

  focused(): FieldName | null {
    return FIELDS.find((field) => section(`f-${field}`) === document.activeElement) ?? null;
  }

  #pressed(event: KeyboardEvent, field: FieldName): void {
    if (isComposing(event) || event.key !== "Enter" || event.ctrlKey) return;
    event.preventDefault();
    if (field === "address" && this.#came && !event.shiftKey) {
      this.#came = false;
      return;
    }
    const order = this.#order(), at = order.indexOf(field);
    const next = event.shiftKey ? order[at - 1] : order.slice(at + 1).find((each) => !this.#sheet.copied.has(each));
    if (next !== undefined) this.focus(next);
    else if (!event.shiftKey && !event.repeat) this.left();
  }

  /** Return the fields that Enter goes through: the guardian only of people under 20. */
  #order(): readonly FieldName[] {
    return FIELDS.filter((field) => !this.#isLocked(field) && (field !== "guardian" || needsGuardian(this.#sheet)));
  }

  #isLocked(field: FieldName): boolean {
    return this.#open !== null && !this.#open.has(field);
  }

  #typed(field: TextField, isComposed: boolean): void {
    this.#sheet.texts[field] = this.input(field).value;
    delete this.#sheet.marks[field];
    this.#sheet.copied.delete(field);
    section(`error-${field}`).textContent = "";
    this.#showMarks();
    if (field === "age_or_grade") this.#showAge();
    if (field === "address") this.#came = false;
    if (field === "postal_code") void this.#fillTown(isComposed);
    this.changed();
  }

  /**
   * Fill the town of a whole code and put the cursor behind it: a code has seven digits, so nobody has to say that it is
   * complete. While an input method composes, the cursor stays. The typed address is never replaced.
   */
  async #fillTown(isComposed: boolean): Promise<void> {
    const code = digits(this.#sheet.texts.postal_code);
    section("town-choices").replaceChildren();
    if (!/^[0-9]{7}$/u.test(code)) return;
    const sheet = this.#sheet;
    const before = sheet.texts.address;
    const found = await towns(code);
    if (sheet !== this.#sheet || code !== digits(sheet.texts.postal_code) || sheet.texts.address !== before) return;
    const names = [...new Set(found.map((each) => each.prefecture + each.municipality + each.town))];
    section("error-postal_code").textContent = names.length === 0 ? t("keying.postal-unknown") : "";
    if (names.length === 0 || !(before === "" || before === this.#filled) || this.#isLocked("address")) return;
    this.#fill(names.length === 1 ? (names[0] ?? "") : commonBeginning(names));
    if (names.length > 1) section("town-choices").replaceChildren(...names.map((name) => this.#townButton(name)));
    if (isComposed || this.focused() !== "postal_code") return;
    this.focus("address");
    this.#came = true;
  }

  #filled = "";
  /** True while the cursor stands behind a filled town by itself: an Enter for the code is then meant for nothing. */
  #came = false;

  #fill(town: string): void {
    this.#filled = ENDS_IN_NUMBER.test(town) ? `${town} ` : town;
    this.#sheet.texts.address = this.#filled;
    delete this.#sheet.marks.address;
    this.input("address").value = this.#filled;
    this.#showMarks();
    if (this.focused() === "address") this.focus("address");
  }

  #townButton(name: string): HTMLElement {
    const button = el("button", { type: "button", class: "button button-text" }, name);
    button.addEventListener("click", () => {
      this.#fill(name);
      this.focus("address");
    });
    return el("li", {}, button);
  }

  #empty(field: FieldName): void {
    if (field === "choices") {
      this.#sheet.choices = [];
      this.#classes.show([], false);
      return;
    }
    this.#sheet.texts[field] = "";
    this.input(field).value = "";
    if (field === "age_or_grade") this.#showAge();
  }

  #showMarks(): void {
    for (const field of FIELDS) {
      const mark = this.#sheet.marks[field];
      const copied = this.#sheet.copied.has(field) ? t("keying.copied") : "";
      section(`mark-${field}`).textContent = mark === undefined ? copied : t(`keying.mark.${mark}`);
      section(`row-${field}`).classList.toggle("marked", mark !== undefined);
    }
  }

  #showAge(): void {
    section("age-live").textContent = ageInWords(this.#sheet.texts.age_or_grade);
    section("row-guardian").classList.toggle("not-needed", !needsGuardian(this.#sheet));
  }
}

function commonBeginning(names: readonly string[]): string {
  const [first = "", ...more] = names;
  let length = first.length;
  for (const name of more) while (!name.startsWith(first.slice(0, length))) length -= 1;
  return first.slice(0, length);
}
