/** Data block of the page /verify. */

import { read, type Frame } from "#shared/page.ts";

export interface PageData extends Frame {
  readonly campaign: string;
  /** Origin of intake; empty if the installation names none. */
  readonly intake: string;
  /** The lottery's public keys that are not revoked (base64url), the present one first. */
  readonly keys: readonly string[];
  /** Intake's public keys that are not revoked (base64url); one of them signs each receipt document. */
  readonly intake_keys: readonly string[];
  /** The vault's public key (base64url), which signs the digits of witnesses; null if it is not known here. */
  readonly vaultKey: string | null;
  readonly work: string;
  readonly offline: string;
  readonly classes: Readonly<Record<string, string>>;
}

export const page = read<PageData>();
/** Keys with which records are compared. */
export const published = { lottery: page.keys, vault: page.vaultKey };
export const api = `/v1/campaigns/${page.campaign}/`;

export function title(classId: string): string {
  return page.classes[classId] ?? classId;
}

/** Format a time in the time zone of the venue. */
export function moment(at: number | string): string {
  return new Date(at).toLocaleString(page.lang, { timeZone: "Asia/Tokyo", dateStyle: "medium", timeStyle: "short" });
}
