/** Read the data block that the server writes into the page. */

export interface Frame {
  readonly lang: string;
  /** The office's clock when the page was made; a phone's own clock may be wrong. */
  readonly now: string;
  readonly texts: Readonly<Record<string, string>>;
}

const frame = JSON.parse(document.getElementById("page")?.textContent ?? "null") as Frame;

/** Return the block with the type of this page. */
export function read<Page extends Frame>(): Page {
  return frame as Page;
}

const loaded = performance.now();

/** Return the time by the office's clock. */
export function now(): Date {
  return new Date(Date.parse(frame.now) + performance.now() - loaded);
}

/** Return a text of the catalogue with its `{members}` filled in; a missing text returns its key. */
export function t(key: string, filling: Readonly<Record<string, string | number>> = {}): string {
  const text = frame.texts[key] ?? key;
  return text.replace(/\{([a-z_]+)\}/gu, (whole, name: string) => String(filling[name] ?? whole));
}

/** Return a text of the catalogue, or undefined. */
export function maybe(key: string): string | undefined {
  return frame.texts[key];
}
