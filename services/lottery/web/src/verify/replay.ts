/** Replay of the history from the draw's result: checks every event and returns the places after it. */

import { allocate, type Positions } from "./allocation.ts";
import { InvalidRecordError } from "./canonical.ts";
import type { Manifest } from "./manifest.ts";
import type { EntryList } from "./entry_list.ts";
import { readRow } from "./rows.ts";
import type { TakenPlace } from "./taken_over.ts";
import { InvalidMoveError, WaitingLists } from "./waiting_list.ts";
import type { PlaceEvent } from "./place_events.ts";

type Places = Readonly<Record<string, readonly string[]>>;

export interface DrawInputs {
  readonly manifest: Manifest;
  readonly entries: EntryList;
  readonly key: Uint8Array<ArrayBuffer>;
  /** Places that a further round took over; empty for any other draw. */
  readonly places?: readonly TakenPlace[];
}

/** Replay the events. Throws InvalidMoveError at the first event that breaks a rule. */
export async function replay(winners: Places, waiting: Places, drawn: DrawInputs, events: readonly PlaceEvent[]): Promise<WaitingLists> {
  const lists = afterDraw(winners, waiting, drawn);
  let before = -Infinity;
  for (const [at, event] of events.entries()) {
    try {
      if (event.at < before) throw new InvalidMoveError("the history goes back in time");
      lists.apply(event);
    } catch (error) {
      throw error instanceof InvalidMoveError ? new InvalidMoveError(`step ${at + 1}: ${error.message}`) : error;
    }
    before = event.at;
  }
  if (drawn.manifest.further === null) await checkCorrections(events, drawn); // of a further round: with the draws before it
  return lists;
}

/** Check that this draw would have given what corrections gave. Throws InvalidMoveError. */
export async function checkCorrections(events: readonly PlaceEvent[], drawn: DrawInputs): Promise<void> {
  for (const [entry, given] of corrections(events)) {
    if (!(await correctionsHold(given, drawn))) throw new InvalidMoveError(`the draw would not have given entry ${entry} this, or more than this`);
  }
}

function afterDraw(winners: Places, waiting: Places, { manifest, entries, places = [] }: DrawInputs): WaitingLists {
  const lists = new WaitingLists(manifest.classes, manifest.rules.maxWins, manifest.promotion);
  if (manifest.further !== null) lists.takeOver(places, manifest.further.extra);
  const seats = (entry: string, classId: string): number => {
    const at = entries.find(entry);
    const found = at < 0 ? undefined : entries.choices(at).find(([name]) => name === classId);
    if (found === undefined) throw new InvalidRecordError("a place for an entry that did not ask for the class");
    return found[1];
  };
  for (const [name, ids] of Object.entries(winners)) for (const entry of ids) lists.won(entry, name, seats(entry, name));
  for (const [name, ids] of Object.entries(waiting)) for (const entry of ids) lists.waits(entry, name, seats(entry, name));
  if (manifest.further !== null) lists.endWaiting(Object.values(winners).flat());
  return lists;
}

/** Group corrections by entry: they are checked together because one place may exclude another. */
function corrections(events: readonly PlaceEvent[]): Map<string, PlaceEvent[]> {
  const found = new Map<string, PlaceEvent[]>();
  for (const event of events) if (event.move === "corrected") found.set(event.entry, [...(found.get(event.entry) ?? []), event]);
  return found;
}

/** Return true if one entry's corrections are exactly what the draw would have given: same key, same list plus this entry. */
async function correctionsHold(events: readonly PlaceEvent[], { manifest, entries, key }: DrawInputs): Promise<boolean> {
  const [first] = events as readonly [PlaceEvent, ...PlaceEvent[]];
  if (events.some((event) => event.choices !== first.choices)) return false;
  const corrected = readRow(`${first.entry} ${first.choices}`);
  if (corrected.length !== 1 || entries.find(first.entry) >= 0) return false;
  const asked = new Map(corrected.choices(0));
  if (events.some((event) => asked.get(event.classId) !== event.seats)) return false;
  const listed = entries.with(corrected.ids, corrected.choices(0));
  const { winners, waiting } = await allocate(key, listed, manifest.classes, manifest.rules);
  const at = listed.find(first.entry);
  const holds = (places: Readonly<Record<string, Positions>>): string[] => Object.keys(places).filter((name) => places[name]!.includes(at));
  const given = new Map([...holds(winners).map((name) => [name, "held"] as const), ...holds(waiting).map((name) => [name, "waiting"] as const)]);
  return given.size === events.length && events.every((event) => given.get(event.classId) === event.state);
}
