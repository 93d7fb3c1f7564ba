/** Data block of the page of own places. */

import { read, type Frame } from "#shared/page.ts";

export interface ClassTexts {
  readonly title: string;
  readonly when: string;
  readonly where: string;
  readonly capacity: number;
  /** Milliseconds since 1970. */
  readonly starts_ms: number;
  readonly ends_ms: number;
}

export interface PageData extends Frame {
  readonly campaign: string;
  /** Origin of intake; empty if the installation names none. */
  readonly intake: string;
  /** Classes that one person can win at most. */
  readonly max_wins: number;
  readonly classes: Readonly<Record<string, ClassTexts>>;
}

export const page = read<PageData>();

/** Format a time in the time zone of the venue. */
export function moment(text: string): string {
  return new Date(text).toLocaleString(page.lang, {
    timeZone: "Asia/Tokyo", year: "numeric", month: "long", day: "numeric", weekday: "short", hour: "numeric", minute: "2-digit",
  });
}
