/** One entry's path through a draw that was opened: ticket, place, what was tried in each round, and what came of it. */

import { allocate, type Attempt } from "./allocation.ts";
import type { Opened } from "./checks.ts";

export interface Ending {
  readonly classId: string;
  readonly outcome: "won" | "waiting" | "lost";
  readonly place: number | null;
}

export interface Path {
  readonly entry: string;
  readonly ticket: string;
  readonly place: number;
  readonly entries: number;
  readonly attempts: readonly Attempt[];
  readonly endings: readonly Ending[];
}

/** Null where the entry is not on the list. */
export async function follow(opened: Opened, entry: string): Promise<Path | null> {
  const chosen = opened.entries.find((each) => each.id === entry);
  if (chosen === undefined) return null;
  const result = await allocate(opened.key, opened.entries, opened.manifest.classes, opened.manifest.rules, entry);
  const endings = chosen.choices.map(([classId]): Ending => {
    const won = result.winners[classId]!.indexOf(entry);
    const waits = result.waiting[classId]!.indexOf(entry);
    if (won !== -1) return { classId, outcome: "won", place: won + 1 };
    return waits !== -1 ? { classId, outcome: "waiting", place: waits + 1 } : { classId, outcome: "lost", place: null };
  });
  const place = result.order.indexOf(entry) + 1;
  return { entry, ticket: result.ticket!, place, entries: opened.entries.length, attempts: result.attempts, endings };
}

/** An application id with hyphens, or 32 hex digits; null for anything else. */
export function entryOf(typed: string): string | null {
  const plain = typed.normalize("NFKC").trim().toLowerCase().replaceAll("-", "");
  return /^[0-9a-f]{32}$/u.test(plain) ? plain : null;
}
