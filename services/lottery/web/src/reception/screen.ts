/** The desk on the screen: listens to people, scanners, the camera and the office, and shows what comes of it. */

import { byId, el, section } from "#shared/dom.ts";
import { prepare } from "#shared/offline.ts";
import { t } from "#shared/page.ts";
import { Camera } from "./camera.ts";
import { page } from "./data.ts";
import type { Desk, Outcome } from "./desk.ts";
import { Meeting } from "./sync.ts";
import type { Trouble } from "./office.ts";
import { forget, SHELF } from "./page_cache.ts";
import { Sounds } from "./sounds.ts";
import { showAnswer, showChanged, showCounts, showRecent, showWaiting, type Buttons } from "./view.ts";
import { listenToScanner } from "./keyboard_scanner.ts";

/** The same code before the camera is one reading until it was away for so long; a scanner repeats itself faster. */
const SAME_TO_CAMERA_MS = 3000;
const SAME_TO_SCANNER_MS = 1000;

export class Screen {
  private readonly sounds = new Sounds();
  private readonly meeting: Meeting;
  private readonly buttons: Buttons;
  private readonly camera: Camera;
  private trouble: Trouble | null = "away";
  private prepared = false;
  private last = { text: "", at: -Infinity };

  constructor(private readonly desk: Desk) {
    this.meeting = new Meeting(desk, page.actor, page.lang, (trouble) => this.met(trouble));
    this.camera = new Camera(byId("video", HTMLVideoElement), (text) => this.readOnce(text, SAME_TO_CAMERA_MS));
    this.buttons = {
      undo: (noted) => void this.answer(desk.undo(noted)),
      only: (noted, people) => void this.answer(desk.only(noted, people)),
      choose: (line) => void this.answer(desk.choose(line)),
    };
  }

  start(): void {
    this.sounds.muted = this.desk.kept.muted ?? false;
    section("work").hidden = false;
    showWaiting();
    this.show();
    this.listen();
    this.listenToTools();
    void prepare(page.worker, SHELF, [page.manifest]).then(() => { this.prepared = true; this.show(); }, () => undefined);
    void navigator.storage?.persist?.();
    void this.meeting.run();
  }

  private listen(): void {
    listenToScanner((text) => this.readOnce(text, SAME_TO_SCANNER_MS));
    for (const touch of ["pointerdown", "keydown"]) document.addEventListener(touch, () => this.sounds.wake());
    for (const change of ["online", "offline"]) addEventListener(change, () => this.meeting.poke());
    section("typed-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const field = byId("typed", HTMLInputElement);
      if (field.value.trim() !== "") this.read(field.value);
      field.value = "";
    });
  }

  private listenToTools(): void {
    const { kept, keeping } = this.desk;
    byId("desk", HTMLSelectElement).addEventListener("change", () => {
      kept.desk = byId("desk", HTMLSelectElement).value;
      void keeping.write(kept, []).then(() => this.show());
    });
    const muted = byId("muted", HTMLInputElement);
    muted.checked = this.sounds.muted;
    muted.addEventListener("change", () => {
      this.sounds.muted = kept.muted = muted.checked;
      void keeping.write(kept, []);
    });
    section("camera").addEventListener("click", () => void this.toggleCamera());
    section("refresh").addEventListener("click", () => this.meeting.refresh());
    section("wipe").addEventListener("click", () => {
      const count = this.desk.book.unsent().length;
      if (confirm(count > 0 ? t("reception.wipe.unsent", { count }) : t("reception.wipe.sure"))) void this.wipe();
    });
  }

  private readOnce(text: string, sameMs: number): void {
    const same = text === this.last.text && performance.now() - this.last.at < sameMs;
    this.last = { text, at: performance.now() };
    if (!same) this.read(text);
  }

  private read(text: string): void {
    void this.answer(this.desk.read(text));
  }

  /** What could not be kept is said too: people must not think that it was. */
  private async answer(work: Promise<Outcome>): Promise<void> {
    const outcome = await work.catch((): Outcome => ({ kind: "unkept" }));
    this.sounds.play(showAnswer(outcome, this.desk.book, this.buttons));
    this.meeting.poke();
    this.show();
  }

  private met(trouble: Trouble | null): void {
    this.trouble = trouble;
    if (trouble === "erased") void this.wipe();
    this.show();
  }

  private show(): void {
    const { book, device, kept, serves } = this.desk;
    this.showDesks();
    showCounts(book, serves);
    showRecent(book, device, this.buttons);
    showChanged(book, device);
    section("line").className = `state ${this.trouble === null ? "state-open" : "state-unready"}`;
    section("line").textContent = t(`reception.line.${this.trouble ?? "well"}`);
    section("sign-in-again").hidden = this.trouble !== "signed-out";
    section("unsent").textContent = String(book.unsent().length);
    section("roster-size").textContent = String(book.roster.lines.size);
    section("device").textContent = device.split("-")[0] ?? "";
    const ready = this.prepared && kept.roster !== undefined;
    section("offline-ready").textContent = t(ready ? "reception.offline.yes" : "reception.offline.no");
  }

  private showDesks(): void {
    const { book, kept } = this.desk;
    const select = byId("desk", HTMLSelectElement);
    const wanted = ["", ...book.roster.classes.map((each) => each.id)];
    if ([...select.options].map((each) => each.value).join() === wanted.join()) return;
    const titles = book.roster.classes.map((each) => el("option", { value: each.id }, `${each.number} ${each.title}`));
    select.replaceChildren(el("option", { value: "" }, t("reception.desk.all")), ...titles);
    select.value = kept.desk ?? "";
  }

  private async wipe(): Promise<void> {
    this.camera.stop();
    this.meeting.end();
    await this.desk.keeping.wipe(this.desk.campaign);
    await forget();
    section("work").hidden = true;
    section("wiped").hidden = false;
  }

  private async toggleCamera(): Promise<void> {
    section("camera-error").textContent = "";
    if (this.camera.isOn) this.camera.stop();
    else await this.camera.start().catch(() => { section("camera-error").textContent = t("reception.camera.none"); });
    section("viewfinder").hidden = !this.camera.isOn;
    section("camera").textContent = t(this.camera.isOn ? "reception.camera.off" : "reception.camera.on");
  }
}
