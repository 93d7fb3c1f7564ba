/** One entry's path: ticket, place, what was tried in each round, what came of it, and what happened afterwards. */

import { allocate, type Attempt } from "./allocation.ts";
import type { Opened } from "./checks.ts";
import type { Place } from "./waiting_list.ts";
import type { Step } from "./steps.ts";

export interface Ending {
  readonly classId: string;
  readonly outcome: "won" | "waiting" | "lost";
  readonly place: number | null;
}

export interface Turn {
  readonly ticket: string;
  readonly place: number;
  readonly entries: number;
  readonly attempts: readonly Attempt[];
  readonly endings: readonly Ending[];
}

export interface Path {
  readonly entry: string;
  /** Null where the entry was added after the draw. */
  readonly turn: Turn | null;
  readonly afterwards: readonly Step[];
  /** What it has now; empty where nothing happened afterwards. */
  readonly now: readonly (readonly [classId: string, place: Place])[];
}

/** Null where the record does not know the entry. */
export async function follow(opened: Opened, entry: string): Promise<Path | null> {
  const turn = await turnOf(opened, entry);
  const afterwards = opened.steps.filter((step) => step.entry === entry);
  if (turn === null && afterwards.length === 0) return null;
  const now = afterwards.length === 0 ? [] : [...(opened.standing?.of(entry) ?? [])];
  return { entry, turn, afterwards, now };
}

async function turnOf({ entries, key, manifest }: Opened, entry: string): Promise<Turn | null> {
  const chosen = entries.find((each) => each.id === entry);
  if (chosen === undefined) return null;
  const result = await allocate(key, entries, manifest.classes, manifest.rules, entry);
  const endings = chosen.choices.map(([classId]): Ending => {
    const won = result.winners[classId]!.indexOf(entry);
    const waits = result.waiting[classId]!.indexOf(entry);
    if (won !== -1) return { classId, outcome: "won", place: won + 1 };
    return waits !== -1 ? { classId, outcome: "waiting", place: waits + 1 } : { classId, outcome: "lost", place: null };
  });
  const place = result.order.indexOf(entry) + 1;
  return { ticket: result.ticket!, place, entries: entries.length, attempts: result.attempts, endings };
}

/** An application id with hyphens, or 32 hex digits; null for anything else. */
export function entryOf(typed: string): string | null {
  const plain = typed.normalize("NFKC").trim().toLowerCase().replaceAll("-", "");
  return /^[0-9a-f]{32}$/u.test(plain) ? plain : null;
}
