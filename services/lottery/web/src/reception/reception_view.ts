/** View of a reception device: takes input from staff, scanner, camera and server, and shows the results. */

import { byId, el, section } from "#shared/dom.ts";
import { prepare } from "#shared/offline.ts";
import { t } from "#shared/page.ts";
import { showAnswer, showChanged, showCounts, showReady, showRecent, type AnswerActions } from "./answer_view.ts";
import type { Trouble } from "./api.ts";
import { Camera } from "./camera.ts";
import type { ReadResult, ReceptionDevice } from "./device.ts";
import { listenToScanner } from "./keyboard_scanner.ts";
import { deletePageCache, PAGE_CACHE } from "./page_cache.ts";
import { page } from "./page_data.ts";
import { Sounds } from "./sounds.ts";
import { Sync } from "./sync.ts";

/** A code that is read again within this time is the same reading. */
const SAME_TO_CAMERA_MS = 3000;
const SAME_TO_SCANNER_MS = 1000;

export class ReceptionView {
  private readonly sounds = new Sounds();
  private readonly sync: Sync;
  private readonly actions: AnswerActions;
  private readonly camera: Camera;
  private trouble: Trouble | null = "away";
  private prepared = false;
  private last = { text: "", at: -Infinity };

  constructor(private readonly device: ReceptionDevice) {
    this.sync = new Sync(device, page.lang, (trouble) => this.showResult(trouble));
    this.camera = new Camera(byId("video", HTMLVideoElement), (text) => this.readOnce(text, SAME_TO_CAMERA_MS));
    this.actions = {
      undo: (scan) => void this.answer(device.undo(scan)),
      correct: (scan, people) => void this.answer(device.correct(scan, people)),
      choose: (line, reading) => void this.answer(device.choose(line, reading)),
      compared: (line) => void this.answer(device.compared(line)),
    };
  }

  start(): void {
    this.sounds.muted = this.device.state.muted ?? false;
    section("work").hidden = false;
    showReady();
    this.show();
    this.listen();
    this.listenToSettings();
    void prepare(page.worker, PAGE_CACHE, [page.manifest]).then(() => { this.prepared = true; this.show(); }, () => undefined);
    void navigator.storage?.persist?.();
    void this.sync.run();
  }

  private listen(): void {
    listenToScanner((text) => this.readOnce(text, SAME_TO_SCANNER_MS));
    for (const touch of ["pointerdown", "keydown"]) document.addEventListener(touch, () => this.sounds.wake());
    for (const change of ["online", "offline"]) addEventListener(change, () => this.sync.request());
    section("typed-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const [number, code] = [byId("typed", HTMLInputElement), byId("typed-code", HTMLInputElement)];
      if (number.value.trim() !== "") void this.readTyped(number, code);
    });
  }

  private listenToSettings(): void {
    const { state, database } = this.device;
    byId("served-class", HTMLSelectElement).addEventListener("change", () => {
      state.servedClass = byId("served-class", HTMLSelectElement).value;
      void database.write(state, []).then(() => this.show());
    });
    const muted = byId("muted", HTMLInputElement);
    muted.checked = this.sounds.muted;
    muted.addEventListener("change", () => {
      this.sounds.muted = state.muted = muted.checked;
      void database.write(state, []);
    });
    section("camera").addEventListener("click", () => void this.toggleCamera());
    section("refresh").addEventListener("click", () => this.sync.refreshRoster());
    section("wipe").addEventListener("click", () => {
      const count = this.device.log.unsent().length;
      if (confirm(count > 0 ? t("reception.wipe.unsent", { count }) : t("reception.wipe.sure"))) void this.wipe();
    });
  }

  /** Read a text unless it repeats the last one within `sameMs`. */
  private readOnce(text: string, sameMs: number): void {
    const same = text === this.last.text && performance.now() - this.last.at < sameMs;
    this.last = { text, at: performance.now() };
    if (!same) this.read(text);
  }

  /** Read the typed number. It stays in its field while the code is asked for. */
  private async readTyped(number: HTMLInputElement, code: HTMLInputElement): Promise<void> {
    const result = await this.answer(this.device.read(number.value, code.value));
    const asksForCode = result.kind === "code-missing" || (result.kind === "noted" && ["compare", "wrong-code"].includes(result.verdict.code));
    if (!asksForCode) number.value = "";
    code.value = "";
    (asksForCode ? code : number).focus();
  }

  private read(text: string): void {
    void this.answer(this.device.read(text));
  }

  /** Show the result. If the scan could not be stored, say so: staff must write the receipt number down. */
  private async answer(reading: Promise<ReadResult>): Promise<ReadResult> {
    const result = await reading.catch((): ReadResult => ({ kind: "unkept" }));
    this.sounds.play(showAnswer(result, this.device.log, this.actions));
    this.sync.request();
    this.show();
    return result;
  }

  private showResult(trouble: Trouble | null): void {
    this.trouble = trouble;
    if (trouble === "erased") void this.wipe();
    this.show();
  }

  private show(): void {
    const { log, name, state, servedClass } = this.device;
    this.showClassChoice();
    showCounts(log, servedClass);
    showRecent(log, name, this.actions);
    showChanged(log, name);
    section("line").className = `state ${this.trouble === null ? "state-open" : "state-unready"}`;
    section("line").textContent = t(`reception.line.${this.trouble ?? "well"}`);
    section("sign-in-again").hidden = this.trouble !== "signed-out";
    section("unsent").textContent = String(log.unsent().length);
    section("roster-size").textContent = String(log.roster.lines.size);
    section("device").textContent = name.split("-")[0] ?? "";
    const ready = this.prepared && state.roster !== undefined;
    section("offline-ready").textContent = t(ready ? "reception.offline.yes" : "reception.offline.no");
  }

  private showClassChoice(): void {
    const { log, state } = this.device;
    const select = byId("served-class", HTMLSelectElement);
    const wanted = ["", ...log.roster.classes.map(({ id }) => id)];
    if ([...select.options].map((option) => option.value).join() === wanted.join()) return;
    const titles = log.roster.classes.map(({ id, number, title }) => el("option", { value: id }, `${number} ${title}`));
    select.replaceChildren(el("option", { value: "" }, t("reception.served-class.all")), ...titles);
    select.value = state.servedClass ?? "";
  }

  private async wipe(): Promise<void> {
    this.camera.stop();
    this.sync.end();
    await this.device.database.wipe(this.device.campaign);
    await deletePageCache();
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
