/** Program of the keying page: takes papers, keeps what is typed in this tab's memory, and sends it. Keyboard alone. */

import { byId, el, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import { giveBack, page, Refusal, submit, takeNext, type Content, type Paper } from "./calls.ts";
import { CharacterPicker } from "./characters.ts";
import { isComposing, SheetForm } from "./form.ts";
import { Menu } from "./menu.ts";
import { clearBeside, Resolution } from "./resolve.ts";
import { copyOf, emptySheet, formOf, nextPerson, sheetsOf, type Sheet } from "./sheet.ts";
import { LoadedPaper, showCrops, Viewer } from "./viewer.ts";

const MOST_SHEETS = 20;

class Keying {
  readonly #viewer = new Viewer();
  readonly #form = new SheetForm(emptySheet(), () => this.#afterLast(), () => undefined);
  readonly #menu = new Menu({ add: () => this.#addSheet(emptySheet()), remove: () => this.#removeSheet(), discard: (reason) => void this.#send(discarded(reason)), back: () => void this.#return() });
  readonly #characters = new CharacterPicker();
  #current: LoadedPaper | null = null;
  #next: LoadedPaper | null = null;
  #resolution: Resolution | null = null;
  #sheets: Sheet[] = [emptySheet()];
  #at = 0;
  #busy = false;

  start(): void {
    document.addEventListener("keydown", (event) => this.#pressed(event));
    byId("save", HTMLButtonElement).addEventListener("click", () => void this.#save());
    byId("again", HTMLButtonElement).addEventListener("click", () => void this.#proceed());
    byId("open-menu", HTMLButtonElement).addEventListener("click", () => this.#openMenu());
    window.addEventListener("pagehide", () => {
      for (const loaded of [this.#current, this.#next]) if (loaded !== null) void giveBack(loaded.paper).catch(() => undefined);
    });
    void this.#proceed();
  }

  #pressed(event: KeyboardEvent): void {
    if (isComposing(event) || this.#current === null || this.#menu.isOpen || this.#characters.isOpen) return;
    const acts: Readonly<Record<string, () => void>> = {
      F2: () => this.#mark("empty", 0), F4: () => this.#mark("unreadable", 1), F6: () => this.#addPerson(emptySheet), F7: () => this.#addPerson(nextPerson),
      F8: () => this.#viewer.rotate(), F9: () => this.#viewer.zoom(), F10: () => this.#pickCharacter(), Escape: () => this.#openMenu(),
      PageDown: () => (event.shiftKey ? this.#viewer.leaf(1) : this.#viewer.scroll(1)),
      PageUp: () => (event.shiftKey ? this.#viewer.leaf(-1) : this.#viewer.scroll(-1)),
    };
    const act = event.ctrlKey && event.key === "Enter" ? () => void this.#save() : event.ctrlKey || event.altKey ? undefined : acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  /** Mark the focused field; in the third look take the left or the right value instead. */
  #mark(mark: "empty" | "unreadable", side: 0 | 1): void {
    const resolution = this.#resolution;
    const field = this.#form.focused();
    if (resolution !== null && resolution.paper.open === null) return this.#takeWhole(resolution, side);
    if (field === null) return;
    if (resolution === null) return this.#form.mark(field, mark);
    resolution.take(side, this.#at, field, this.#form.sheet);
    this.#showSheet();
    this.#form.focus(field);
  }

  /** Open the picker in fields that hold names; the others have no such characters. */
  #pickCharacter(): void {
    const field = this.#form.focused();
    if (field !== "name" && field !== "guardian" && field !== "address") return;
    const input = this.#form.input(field);
    if (!input.readOnly) this.#characters.open(input);
  }

  #takeWhole(resolution: Resolution, side: 0 | 1): void {
    const version = resolution.paper.versions[side];
    if (version === undefined) return;
    if (version.decision === "discarded") {
      this.#openMenu();
      return;
    }
    [this.#sheets, this.#at] = [sheetsOf(version).map(copyOf), 0];
    this.#showSheet();
    this.#form.focusFirst();
  }

  async #proceed(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const loaded = this.#next ?? (await this.#load([]));
      this.#next = null;
      this.#current = loaded;
      if (loaded === null) return this.#showIdle();
      this.#showPaper(loaded);
      void this.#loadAhead(loaded.paper);
    } catch (error) {
      this.#showRefusal(error);
    } finally {
      this.#busy = false;
    }
  }

  async #load(have: readonly string[]): Promise<LoadedPaper | null> {
    const paper = await takeNext(have);
    return paper === null ? null : new LoadedPaper(paper);
  }

  async #loadAhead(current: Paper): Promise<void> {
    const next = await this.#load([current.id]).catch(() => null);
    if (this.#current?.paper === current) this.#next = next;
    else if (next !== null && next.paper.id !== this.#current?.paper.id) await giveBack(next.paper).catch(() => undefined);
  }

  #showPaper(loaded: LoadedPaper): void {
    const { paper } = loaded;
    section("idle").hidden = true;
    section("desk").hidden = false;
    section("facts").textContent = t(`keying.look.${paper.look}`, { serial: paper.serial, channel: t(`keying.channel.${paper.channel}`) });
    section("desk").dataset["paper"] = paper.id;
    this.#resolution = paper.look === "third" ? new Resolution(paper) : null;
    [this.#sheets, this.#at] = [this.#resolution?.start() ?? [emptySheet()], 0];
    if (this.#sheets.length === 0) this.#sheets = [emptySheet()];
    section("resolve-hint").hidden = this.#resolution === null;
    section("mark-hint").hidden = this.#resolution !== null;
    this.#viewer.show(loaded);
    void showCrops(loaded, () => this.#current === loaded);
    this.#at = Math.max(0, this.#sheets.findIndex((_, position) => this.#resolution?.openFields(position)?.size !== 0));
    this.#showSheet();
    this.#form.focusFirst();
  }

  #showSheet(): void {
    const sheet = this.#sheets[this.#at] ?? emptySheet();
    this.#form.show(sheet, this.#resolution?.openFields(this.#at) ?? null);
    const many = this.#sheets.length > 1;
    section("sheet-number").textContent = many ? t("keying.sheet-of", { number: this.#at + 1, count: this.#sheets.length }) : "";
    if (this.#resolution === null) clearBeside();
    else this.#resolution.showBeside(this.#at);
  }

  #afterLast(): void {
    const next = this.#sheets.findIndex((_, position) => position > this.#at && this.#resolution?.openFields(position)?.size !== 0);
    if (next < 0) return void this.#save();
    if (!this.#form.check()) return;
    this.#at = next;
    this.#showSheet();
    this.#form.focusFirst();
  }

  async #save(): Promise<void> {
    for (const position of this.#sheets.keys()) {
      if (position !== this.#at) {
        this.#at = position;
        this.#showSheet();
      }
      if (!this.#form.check()) return;
    }
    const applications = this.#sheets.map((sheet) => formOf(sheet, page.purpose_version));
    await this.#send({ decision: "keyed", reason: null, applications, marks: this.#sheets.map(({ marks }) => ({ ...marks })) });
  }

  async #send(content: Content): Promise<void> {
    const loaded = this.#current;
    if (loaded === null || this.#busy) return;
    this.#busy = true;
    try {
      await submit(loaded.paper, content);
      this.#say(t("keying.saved", { serial: loaded.paper.serial }));
    } catch (error) {
      this.#showRefusal(error);
      if (isKept(error)) return;
    } finally {
      this.#busy = false;
    }
    await this.#proceed();
  }

  async #return(): Promise<void> {
    const paper = this.#current?.paper;
    if (paper === undefined) return;
    for (const loaded of [this.#current, this.#next]) if (loaded !== null) await giveBack(loaded.paper).catch(() => undefined);
    [this.#current, this.#next] = [null, null];
    this.#say(t("keying.returned", { serial: paper.serial }));
    this.#showIdle();
  }

  #openMenu(): void {
    this.#menu.open({ canAdd: this.#canAdd(), canRemove: this.#sheets.length > 1 && this.#mayChangeSheets() });
  }

  #mayChangeSheets(): boolean {
    return this.#resolution === null || this.#resolution.paper.open === null;
  }

  /** Add the next person of the same paper once the one on the screen is complete: with what they share, or with nothing. */
  #addPerson(next: (before: Sheet) => Sheet): void {
    if (this.#canAdd() && this.#form.check()) this.#addSheet(next(this.#form.sheet));
  }

  #canAdd(): boolean {
    return this.#sheets.length < MOST_SHEETS && this.#mayChangeSheets();
  }

  #addSheet(sheet: Sheet): void {
    this.#sheets = [...this.#sheets, sheet];
    this.#at = this.#sheets.length - 1;
    this.#showSheet();
    this.#form.focusFirst();
  }

  #removeSheet(): void {
    this.#sheets = this.#sheets.filter((_, position) => position !== this.#at);
    this.#at = Math.min(this.#at, this.#sheets.length - 1);
    this.#showSheet();
    this.#form.focusFirst();
  }

  #showIdle(): void {
    section("desk").hidden = true;
    delete section("desk").dataset["paper"];
    section("idle").hidden = false;
    this.#viewer.clear();
    byId("again", HTMLButtonElement).focus();
  }

  #showRefusal(error: unknown): void {
    if (!(error instanceof Refusal)) this.#say(t("keying.away"), true);
    else if (error.status === 401) this.#say(t("call.signed-out"), true);
    else this.#say(`${error.title}${error.title === "" ? t("keying.away") : ""} ${error.detail}`, true);
  }

  #say(text: string, wrong = false): void {
    section("say").replaceChildren(el("span", { class: wrong ? "wrong" : "" }, text));
  }
}

/** True where the paper stays on the screen: content to mend, or a vault that did not answer. */
function isKept(error: unknown): boolean {
  return !(error instanceof Refusal) || error.status !== 409 || error.code === "agreed-changed";
}

function discarded(reason: string): Content {
  return { decision: "discarded", reason, applications: [], marks: [] };
}

new Keying().start();
