/** What the server tells the page /verify. */

import { read, type Frame } from "#shared/page.ts";

export interface Page extends Frame {
  readonly campaign: string;
  /** The lottery's public key (base64url). */
  readonly key: string;
  readonly work: string;
  readonly offline: string;
  readonly classes: Readonly<Record<string, string>>;
}

export const page = read<Page>();
export const api = `/v1/campaigns/${page.campaign}/`;

export function title(classId: string): string {
  return page.classes[classId] ?? classId;
}

/** As people at the venue read their clocks. */
export function moment(at: number | string): string {
  return new Date(at).toLocaleString(page.lang, { timeZone: "Asia/Tokyo", dateStyle: "medium", timeStyle: "short" });
}
