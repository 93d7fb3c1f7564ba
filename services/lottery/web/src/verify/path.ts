/** Path of one entry: ticket, rank, attempts in each round, outcomes, and events after the draw. */

import { allocate, type Attempt, type Result } from "./allocation.ts";
import type { VerifiedRecord } from "./checks.ts";
import { drawnClasses, type Manifest } from "./manifest.ts";
import { heldClasses } from "./taken_over.ts";
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
  /** Id of the draw. */
  readonly drawId: string;
  /** Paths through the draws that a further round continues, oldest first; null for a draw that does not have the entry. */
  readonly before: readonly (Path | null)[];
  /** Null if a correction added the entry after the draw, or if it took no part in a further round. */
  readonly draw: DrawPath | null;
  readonly afterwards: readonly PlaceEvent[];
  /** Places of the entry now; empty if nothing happened after the draw. */
  readonly now: readonly (readonly [classId: string, place: Place])[];
}

/** Trace an entry's path. Null if no record contains the entry. `earlier`: the draws that a further round continues, oldest first. */
export async function tracePath(opened: VerifiedRecord, entry: string, earlier: readonly VerifiedRecord[] = []): Promise<Path | null> {
  const before: (Path | null)[] = [];
  for (const record of earlier) before.push(await tracePath(record, entry));
  const draw = await tracePathThroughDraw(opened, entry);
  const afterwards = opened.events.filter((step) => step.entry === entry);
  if (draw === null && afterwards.length === 0 && before.every((path) => path === null)) return null;
  const now = afterwards.length === 0 && earlier.length === 0 ? [] : [...(opened.lists?.of(entry) ?? [])];
  return { entry, drawId: opened.manifest.draw, before, draw, afterwards, now };
}

async function tracePathThroughDraw({ entries, key, manifest, places }: VerifiedRecord, entry: string): Promise<DrawPath | null> {
  const at = entries.find(entry);
  if (at < 0) return null;
  const held = heldClasses(places);
  const result = await allocate(key, entries, drawnClasses(manifest), manifest.rules, at, undefined, held);
  const outcomes = entries.choices(at).map(([classId]): ClassOutcome => {
    const won = result.winners[classId]!.indexOf(at);
    const waits = result.waiting[classId]!.indexOf(at);
    if (won !== -1) return { classId, outcome: "won", place: won + 1, reason: null };
    if (waits !== -1) return { classId, outcome: "waiting", place: waits + 1, reason: null };
    return { classId, outcome: "lost", place: null, reason: lostReason(classId, at, result, manifest, held.get(entry)) };
  });
  const place = result.order.indexOf(at) + 1;
  return { ticket: result.ticket!, place, entries: entries.length, attempts: result.attempts, outcomes };
}

/** Return why an entry neither has a class nor waits for it. `result` holds the attempts of this entry. */
function lostReason(classId: string, entry: number, { winners, attempts }: Result, { classes, rules }: Manifest, before: ReadonlySet<string> = new Set()): LostReason {
  const held = classes.filter(({ id }) => winners[id]!.includes(entry) || before.has(id));
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

/** Return the entries of these draws that begin with these hex digits, also those that a correction added after a draw. */
export function entriesWithPrefix(records: readonly VerifiedRecord[], prefix: string): readonly string[] {
  const listed = records.flatMap(({ entries }) => entries.withPrefix(prefix));
  const added = records.flatMap(({ events }) => events.map(({ entry }) => entry)).filter((entry) => entry.startsWith(prefix));
  return [...new Set([...listed, ...added])];
}
