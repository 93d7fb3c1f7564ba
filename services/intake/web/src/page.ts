/** The data block of the page: what the server tells the program, checked where it matters by the vault's key. */

import type { Rules } from "./campaign.ts";

export interface Page {
  readonly lang: string;
  readonly rules: Rules;
  /** The vault's public signing key (base64url), pinned when the office was set up. */
  readonly signing_key: string;
  /** The office's clock when the page was made; a phone's own clock may be wrong. */
  readonly now: string;
  readonly texts: Readonly<Record<string, string>>;
}

export const page: Page = JSON.parse(document.getElementById("page")?.textContent ?? "null") as Page;

const loaded = performance.now();

/** By the office's clock. */
export function now(): Date {
  return new Date(Date.parse(page.now) + performance.now() - loaded);
}

/** A text of the catalogue with its `{places}` filled; a missing one is a mistake of ours and is shown as its name. */
export function t(key: string, filling: Readonly<Record<string, string | number>> = {}): string {
  const text = page.texts[key] ?? key;
  return text.replace(/\{([a-z_]+)\}/gu, (whole, name: string) => String(filling[name] ?? whole));
}

/** As `t`, or undefined where the catalogue has no such text. */
export function maybe(key: string): string | undefined {
  return page.texts[key];
}
