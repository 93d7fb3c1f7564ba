/** The data block of the page: what the server tells the program. */

export interface Frame {
  readonly lang: string;
  /** The office's clock when the page was made; a phone's own clock may be wrong. */
  readonly now: string;
  readonly texts: Readonly<Record<string, string>>;
}

const frame = JSON.parse(document.getElementById("page")?.textContent ?? "null") as Frame;

/** The block as this page's program knows it. */
export function read<Page extends Frame>(): Page {
  return frame as Page;
}

const loaded = performance.now();

/** By the office's clock. */
export function now(): Date {
  return new Date(Date.parse(frame.now) + performance.now() - loaded);
}

/** A text of the catalogue with its `{places}` filled; a missing one is a mistake of ours and is shown as its name. */
export function t(key: string, filling: Readonly<Record<string, string | number>> = {}): string {
  const text = frame.texts[key] ?? key;
  return text.replace(/\{([a-z_]+)\}/gu, (whole, name: string) => String(filling[name] ?? whole));
}

/** As `t`, or undefined where the catalogue has no such text. */
export function maybe(key: string): string | undefined {
  return frame.texts[key];
}
