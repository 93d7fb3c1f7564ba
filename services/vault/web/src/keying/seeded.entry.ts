/** Program of the page that stores seeded papers: sends a file and what is written on it. Keyboard alone. */

import { byId, el, section } from "#shared/dom.ts";
import { refresh } from "#shared/live.ts";
import { t } from "#shared/page.ts";
import { page, Refusal, storeSeeded, type Mark } from "./calls.ts";
import { CharacterPicker } from "./characters.ts";
import { isComposing, SheetForm } from "./form.ts";
import { emptySheet, formOf, nextPerson, type Sheet, type TextField } from "./sheet.ts";

const MOST_SHEETS = 20;
const MOST_BYTES = 8 * 1024 * 1024;
const SERIAL = /^[A-Za-z0-9-]{1,32}$/u;

class SeededPaperForm {
  readonly #file = byId("file", HTMLInputElement);
  readonly #remove = byId("remove-sheet", HTMLButtonElement);
  readonly #serial = byId("serial", HTMLInputElement);
  readonly #form = new SheetForm(emptySheet(), () => void this.#save(), () => undefined);
  readonly #characters = new CharacterPicker();
  #sheets: Sheet[] = [emptySheet()];
  #at = 0;
  #busy = false;
  /** Names what is being stored: a request that is sent again because its answer was lost stores no second paper. */
  #id = crypto.randomUUID();
  /** True after the first of two presses that take away a person for whom something is typed. */
  #warned = false;

  start(): void {
    document.addEventListener("keydown", (event) => this.#pressed(event));
    byId("save", HTMLButtonElement).addEventListener("click", () => void this.#save());
    this.#remove.addEventListener("click", () => this.#removeSheet());
    document.addEventListener("input", () => {
      this.#warned = false;
    });
    this.#serial.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || isComposing(event)) return;
      event.preventDefault();
      this.#form.focusFirst();
    });
    this.#show(0);
    this.#file.focus();
  }

  #pressed(event: KeyboardEvent): void {
    if (isComposing(event) || this.#characters.isOpen || event.ctrlKey || event.altKey) return;
    const acts: Readonly<Record<string, () => void>> = {
      F2: () => this.#mark("empty"), F4: () => this.#mark("unreadable"), F6: () => this.#addPerson(emptySheet), F7: () => this.#addPerson(nextPerson), F10: () => this.#pickCharacter(), Escape: () => this.#removeSheet(),
    };
    const act = acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  #mark(mark: Mark): void {
    const field = this.#form.focused();
    if (field !== null) this.#form.mark(field, mark);
  }

  #pickCharacter(): void {
    const field = this.#form.focused();
    if (field === "name" || field === "guardian" || field === "address") this.#characters.open(this.#form.input(field));
  }

  #addPerson(next: (before: Sheet) => Sheet): void {
    if (this.#sheets.length >= MOST_SHEETS || !this.#form.check()) return;
    this.#sheets = [...this.#sheets, next(this.#form.sheet)];
    this.#show(this.#sheets.length - 1);
    this.#form.focusFirst();
  }

  /** Take the shown person away, after a second press where something is typed; the first person stays. */
  #removeSheet(): void {
    if (this.#busy || this.#sheets.length < 2) return;
    const number = this.#at + 1;
    if (!this.#warned && isTyped(this.#form.sheet)) {
      this.#warned = true;
      return this.#say(t("seeded.remove.sure"), true);
    }
    this.#sheets = this.#sheets.filter((_, position) => position !== this.#at);
    this.#show(Math.min(this.#at, this.#sheets.length - 1));
    this.#form.focusFirst();
    this.#say(t("seeded.removed", { number }));
  }

  #show(position: number): void {
    [this.#at, this.#warned] = [position, false];
    this.#form.show(this.#sheets[position] ?? emptySheet(), null);
    const many = this.#sheets.length > 1;
    this.#remove.hidden = !many;
    section("sheet-number").textContent = many ? t("keying.sheet-of", { number: this.#at + 1, count: this.#sheets.length }) : "";
  }

  /** Return the chosen file if file and number are right; else say what to do, and focus the first that is wrong. */
  #checkFile(): File | null {
    const file = this.#file.files?.[0];
    const wrongFile = file === undefined ? t("seeded.wrong.file") : file.size > MOST_BYTES ? t("seeded.wrong.size") : "";
    const wrongSerial = SERIAL.test(this.#serial.value.trim()) ? "" : t("seeded.wrong.serial");
    section("error-file").textContent = wrongFile;
    section("error-serial").textContent = wrongSerial;
    if (wrongFile !== "") this.#file.focus();
    else if (wrongSerial !== "") this.#serial.focus();
    return wrongFile === "" && wrongSerial === "" ? (file ?? null) : null;
  }

  #checkSheets(): boolean {
    for (const position of this.#sheets.keys()) {
      if (position !== this.#at) this.#show(position);
      if (!this.#form.check()) return false;
    }
    return true;
  }

  async #save(): Promise<void> {
    if (this.#busy) return;
    const file = this.#checkFile();
    if (file === null || !this.#checkSheets()) return;
    this.#busy = true;
    this.#say(t("seeded.saving"));
    const serial = this.#serial.value.trim();
    const applications = this.#sheets.map((sheet) => formOf(sheet, page.purpose_version));
    const known = { decision: "keyed", applications, marks: this.#sheets.map(({ marks }) => ({ ...marks })) } as const;
    try {
      const count = await storeSeeded({ id: this.#id, channel: byId("channel", HTMLSelectElement).value, serial, file: await base64Of(file), known });
      section("pool-count").textContent = t("seeded.count", { count });
      this.#say(t("seeded.saved", { serial, count }));
      this.#clear();
      void refresh();
    } catch (error) {
      this.#showRefusal(error);
    } finally {
      this.#busy = false;
    }
  }

  #clear(): void {
    this.#id = crypto.randomUUID();
    this.#file.value = "";
    this.#serial.value = "";
    this.#sheets = [emptySheet()];
    this.#show(0);
    this.#file.focus();
  }

  #showRefusal(error: unknown): void {
    if (!(error instanceof Refusal)) return this.#say(t("seeded.away"), true);
    if (error.status === 401) return this.#say(t("call.signed-out"), true);
    this.#say(`${error.title}${error.title === "" ? t("seeded.away") : ""} ${error.detail}`, true);
    if (error.code === "not-a-paper" || error.code === "infected") this.#file.focus();
    else if (error.code === "not-keyable") this.#showRefused(error.position);
  }

  #showRefused(position: number): void {
    this.#show(Math.min(position, this.#sheets.length - 1));
    this.#form.focusFirst();
  }

  #say(text: string, wrong = false): void {
    section("say").replaceChildren(el("span", { class: wrong ? "wrong" : "" }, text));
  }
}

/** Return true if a person has more than what was taken from the person before. */
function isTyped(sheet: Sheet): boolean {
  const own = Object.entries(sheet.texts).some(([field, text]) => text !== "" && !sheet.copied.has(field as TextField));
  const marked = Object.keys(sheet.marks).some((field) => !sheet.copied.has(field as TextField));
  return own || marked || sheet.choices.length > 0;
}

const CHUNK = 0x8000;

/** Return the bytes of the file as base64, chunk by chunk: one call takes some ten thousand arguments at most. */
async function base64Of(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) parts.push(String.fromCharCode(...bytes.subarray(at, at + CHUNK)));
  return btoa(parts.join(""));
}

new SeededPaperForm().start();
