/** The picture of a paper: rotate, zoom, scroll and leaf through by keys. The pictures stay in this tab's memory only. */

import { byId, el, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import { fieldBoxes, pictureAddress, type Box, type FieldName, type Paper } from "./calls.ts";

const ZOOMS = [1, 1.5, 2.5] as const;
const QUARTER = 90;
const FULL = 360;

/** A paper with its first pictures on their way, so that it stands there at once when its turn comes. */
export class LoadedPaper {
  readonly #pages = new Map<number, HTMLImageElement>();
  readonly boxes: Promise<Readonly<Partial<Record<FieldName, Box>>>>;

  constructor(readonly paper: Paper) {
    if (paper.pages > 0) this.page(0);
    this.boxes = fieldBoxes(paper);
  }

  page(number: number): HTMLImageElement {
    const known = this.#pages.get(number);
    if (known !== undefined) return known;
    const picture = new Image();
    picture.alt = t("keying.page", { number: number + 1, serial: this.paper.serial });
    picture.src = pictureAddress(this.paper, number);
    this.#pages.set(number, picture);
    return picture;
  }
}

export class Viewer {
  #loaded: LoadedPaper | null = null;
  #number = 0;
  #turned = 0;
  #zoom = 0;
  readonly #stage = section("stage");

  constructor() {
    for (const [id, act] of [["rotate", () => this.rotate()], ["zoom", () => this.zoom()], ["leaf", () => this.leaf(1)]] as const) {
      byId(id, HTMLButtonElement).addEventListener("click", act);
    }
    window.addEventListener("resize", () => this.#place());
  }

  show(loaded: LoadedPaper): void {
    [this.#loaded, this.#number, this.#turned, this.#zoom] = [loaded, 0, 0, 0];
    this.#draw();
  }

  clear(): void {
    this.#loaded = null;
    this.#stage.replaceChildren();
  }

  rotate(): void {
    this.#turned = (this.#turned + QUARTER) % FULL;
    this.#place();
  }

  zoom(): void {
    this.#zoom = (this.#zoom + 1) % ZOOMS.length;
    this.#place();
  }

  /** Show the next page, or the one before; after the last comes the first. */
  leaf(step: 1 | -1): void {
    const pages = this.#loaded?.paper.pages ?? 0;
    if (pages < 2) return;
    this.#number = (this.#number + step + pages) % pages;
    this.#draw();
  }

  /** Scroll by most of what is visible. */
  scroll(step: 1 | -1): void {
    this.#stage.scrollBy({ top: step * this.#stage.clientHeight * 0.8 });
  }

  #draw(): void {
    const loaded = this.#loaded;
    if (loaded === null) return;
    if (loaded.paper.pages === 0) {
      const text = t(loaded.paper.state === "quarantined" ? "keying.quarantined" : "keying.no-picture", { serial: loaded.paper.serial });
      this.#stage.replaceChildren(el("p", { class: "state state-late" }, text));
      return;
    }
    const picture = loaded.page(this.#number);
    this.#stage.replaceChildren(el("div", { class: "turned" }, picture));
    section("page-number").textContent = t("keying.page-of", { number: this.#number + 1, pages: loaded.paper.pages });
    if (picture.complete) this.#place();
    picture.onload = () => this.#place();
    picture.onerror = () => this.#stage.replaceChildren(el("p", { class: "state state-late" }, t("keying.no-picture", { serial: loaded.paper.serial })));
  }

  /** Give picture and frame their size: a turned picture keeps the width of the frame. */
  #place(): void {
    const frame = this.#stage.querySelector<HTMLElement>(".turned");
    const picture = frame?.querySelector("img");
    if (frame === null || picture === null || picture === undefined || picture.naturalWidth === 0) return;
    const width = this.#stage.clientWidth * (ZOOMS[this.#zoom] ?? 1);
    const lies = this.#turned % (2 * QUARTER) !== 0;
    const ratio = picture.naturalHeight / picture.naturalWidth;
    const [own, other] = lies ? [width / ratio, width] : [width, width * ratio];
    picture.style.width = `${own}px`;
    picture.style.height = `${other}px`;
    frame.style.width = `${width}px`;
    frame.style.height = `${lies ? own : other}px`;
    const moves: Readonly<Record<number, string>> = { 0: "", 90: `translate(${width}px, 0)`, 180: `translate(${own}px, ${other}px)`, 270: `translate(0, ${own}px)` };
    picture.style.transform = `${moves[this.#turned] ?? ""} rotate(${this.#turned}deg)`;
  }
}

const TWICE = 2;

/** Draw the field's own part of our sheet above its input, at twice the size of the print on a screen of 96 dots an inch. */
export async function showCrops(loaded: LoadedPaper, isCurrent: () => boolean): Promise<void> {
  for (const canvas of document.querySelectorAll<HTMLCanvasElement>("canvas.crop")) canvas.hidden = true;
  const boxes = await loaded.boxes;
  if (Object.keys(boxes).length === 0) return;
  const picture = loaded.page(0);
  await picture.decode().catch(() => undefined);
  if (!isCurrent() || picture.naturalWidth === 0) return;
  for (const [name, box] of Object.entries(boxes)) drawCrop(byId(`crop-${name}`, HTMLCanvasElement), picture, box);
}

/** A4 is 794 dots wide on a screen of 96 dots an inch. */
const SHEET_WIDTH = 794;

/**
 * Draw a wide field as two lines, its left half and its right half, so that twice the size fits beside the picture;
 * the second line is left out where nothing is written.
 */
function drawCrop(canvas: HTMLCanvasElement, picture: HTMLImageElement, [left, top, wide, high]: Box): void {
  const [width, height] = [picture.naturalWidth, picture.naturalHeight];
  const parts = wide > WIDE ? 2 : 1;
  const [shownWidth, shownHeight] = [Math.round((wide / parts) * SHEET_WIDTH * TWICE), Math.round((high * SHEET_WIDTH * TWICE * height) / width)];
  const draw = (part: number, at: number): void => {
    canvas.getContext("2d")?.drawImage(
      picture, (left + (part * wide) / parts) * width, top * height, (wide / parts) * width, high * height, 0, at, shownWidth, shownHeight,
    );
  };
  [canvas.width, canvas.height] = [shownWidth, shownHeight];
  draw(parts - 1, 0);
  if (parts > 1 && hasInk(canvas)) {
    canvas.height = 2 * shownHeight;
    draw(1, shownHeight);
  }
  draw(0, 0);
  canvas.hidden = false;
}

/** Part of the sheet's width above which a field is drawn as two lines. */
const WIDE = 0.5;
const EDGE = 0.12;
const DARK = 128;
const INK = 0.002;

/** True where something is written inside the frame; printed lines at the edges do not count. */
function hasInk(canvas: HTMLCanvasElement): boolean {
  const [left, top] = [Math.round(canvas.width * EDGE / 2), Math.round(canvas.height * EDGE)];
  const shades = canvas.getContext("2d")?.getImageData(left, top, canvas.width - 2 * left, canvas.height - 2 * top).data ?? new Uint8ClampedArray();
  let dark = 0;
  for (let at = 0; at < shades.length; at += 4) if ((shades[at] ?? DARK) < DARK) dark += 1;
  return dark > (shades.length / 4) * INK;
}
