/** Path of one entry: ticket, rank, attempts in each round, outcomes, and events after the draw. */

import { allocate, type Attempt, type Result } from "./allocation.ts";
import type { VerifiedRecord } from "./checks.ts";
import type { Manifest } from "./manifest.ts";
import type { Place } from "./waiting_list.ts";
import type { PlaceEvent } from "./place_events.ts";

export interface ClassOutcome {
  readonly classId: string;
  readonly outcome: "won" | "waiting" | "lost";
  readonly place: number | null;
  /** Of a lost class (docs/spec/draw-2.md §9). */
  readonly reason: LostReason | null;
}

export type LostReason = "drawn" | "group" | "limit" | "clash";

export interface DrawPath {
  readonly ticket: string;
  readonly place: number;
  readonly entries: number;
  readonly attempts: readonly Attempt[];
  readonly outcomes: readonly ClassOutcome[];
}

export interface Path {
  readonly entry: string;
  /** Null if a correction added the entry after the draw. */
  readonly draw: DrawPath | null;
  readonly afterwards: readonly PlaceEvent[];
  /** Places of the entry now; empty if nothing happened after the draw. */
  readonly now: readonly (readonly [classId: string, place: Place])[];
}

/** Trace an entry's path. Null if the record does not contain the entry. */
export async function tracePath(opened: VerifiedRecord, entry: string): Promise<Path | null> {
  const draw = await tracePathThroughDraw(opened, entry);
  const afterwards = opened.events.filter((step) => step.entry === entry);
  if (draw === null && afterwards.length === 0) return null;
  const now = afterwards.length === 0 ? [] : [...(opened.lists?.of(entry) ?? [])];
  return { entry, draw, afterwards, now };
}

async function tracePathThroughDraw({ entries, key, manifest }: VerifiedRecord, entry: string): Promise<DrawPath | null> {
  const at = entries.find(entry);
  if (at < 0) return null;
  const result = await allocate(key, entries, manifest.classes, manifest.rules, at);
  const outcomes = entries.choices(at).map(([classId]): ClassOutcome => {
    const won = result.winners[classId]!.indexOf(at);
    const waits = result.waiting[classId]!.indexOf(at);
    if (won !== -1) return { classId, outcome: "won", place: won + 1, reason: null };
    if (waits !== -1) return { classId, outcome: "waiting", place: waits + 1, reason: null };
    return { classId, outcome: "lost", place: null, reason: lostReason(classId, at, result, manifest) };
  });
  const place = result.order.indexOf(at) + 1;
  return { ticket: result.ticket!, place, entries: entries.length, attempts: result.attempts, outcomes };
}

/** Return why an entry neither has a class nor waits for it. `result` holds the attempts of this entry. */
function lostReason(classId: string, entry: number, { winners, attempts }: Result, { classes, rules }: Manifest): LostReason {
  const held = classes.filter(({ id }) => winners[id]!.includes(entry));
  if (held.length >= rules.maxWins) return "limit";
  const lost = classes.find(({ id }) => id === classId);
  if (lost !== undefined && held.some((other) => lost.starts < other.ends && other.starts < lost.ends)) return "clash";
  const metTooFew = attempts.some((attempt) => attempt.classId === classId && attempt.outcome === "full" && attempt.left > 0);
  return metTooFew ? "group" : "drawn";
}

/** Parse an entry id, 32 hex digits; null for any other text. */
export function parseEntryId(typed: string): string | null {
  const plain = typed.normalize("NFKC").trim().toLowerCase();
  return /^[0-9a-f]{32}$/u.test(plain) ? plain : null;
}

/** Return the entries that begin with these hex digits, also those that a correction added after the draw. */
export function entriesWithPrefix({ entries, events }: VerifiedRecord, prefix: string): readonly string[] {
  const added = events.map(({ entry }) => entry).filter((entry) => entry.startsWith(prefix));
  return [...new Set([...entries.withPrefix(prefix), ...added])];
}
