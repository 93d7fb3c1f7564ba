/** Places that a further round takes over from the draw before it: the text to which its manifest commits (docs/spec/draw-2.md §15). */

import { InvalidRecordError } from "./canonical.ts";

export interface TakenPlace {
  readonly classId: string;
  /** Position on the waiting list; 0: a held place. */
  readonly position: number;
  /** 32 hex digits. */
  readonly entry: string;
  readonly seats: number;
}

const LINE = /^([a-z0-9-]+) (0|[1-9][0-9]*) ([0-9a-f]{32}) ([1-9][0-9]*)$/u;

/** Read the places. Throws InvalidRecordError for another form, a wrong order, or a class that an entry has twice. */
export function readPlaces(text: unknown): readonly TakenPlace[] {
  if (typeof text !== "string" || (text !== "" && !text.endsWith("\n"))) throw new InvalidRecordError("places: not a list of places");
  const places = text.split("\n").slice(0, -1).map(readLine);
  for (const [at, place] of places.entries()) {
    if (at > 0 && compare(places[at - 1]!, place) >= 0) throw new InvalidRecordError(`places: line ${at + 1} is out of order`);
  }
  if (new Set(places.map(({ classId, entry }) => `${classId} ${entry}`)).size !== places.length) throw new InvalidRecordError("places: an entry has two places in one class");
  return places;
}

/** Write places as text. */
export function writePlaces(places: readonly TakenPlace[]): string {
  return [...places].sort(compare).map(({ classId, position, entry, seats }) => `${classId} ${position} ${entry} ${seats}\n`).join("");
}

/** Return the classes that each entry holds. */
export function heldClasses(places: readonly TakenPlace[]): ReadonlyMap<string, ReadonlySet<string>> {
  const held = new Map<string, Set<string>>();
  for (const { classId, position, entry } of places) if (position === 0) held.set(entry, (held.get(entry) ?? new Set()).add(classId));
  return held;
}

function readLine(line: string, at: number): TakenPlace {
  const [, classId = "", position = "", entry = "", seats = ""] = LINE.exec(line) ?? [];
  if (classId === "") throw new InvalidRecordError(`places: line ${at + 1} does not have the form of a place`);
  return { classId, position: Number(position), entry, seats: Number(seats) };
}

function compare(one: TakenPlace, other: TakenPlace): number {
  if (one.classId !== other.classId) return one.classId < other.classId ? -1 : 1;
  if (one.position !== other.position) return one.position - other.position;
  return one.entry < other.entry ? -1 : one.entry > other.entry ? 1 : 0;
}
