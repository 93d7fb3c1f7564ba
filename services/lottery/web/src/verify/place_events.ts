/** Events of the record's history that concern places (docs/protocols.md §2, "After the draw"). */

import { InvalidRecordError } from "./canonical.ts";
import { instant, type Instant } from "./instants.ts";

export const MOVES = ["withdrawn", "declined", "expired", "released", "passed-over", "offered", "promoted", "accepted", "corrected"] as const;
export type Move = (typeof MOVES)[number];

export interface PlaceEvent {
  readonly move: Move;
  readonly at: Instant;
  readonly reason: string;
  /** 32 hex digits. */
  readonly entry: string;
  readonly classId: string;
  readonly seats: number;
  /** Time limit of an offer. */
  readonly answerBy: Instant | null;
  /** Entries before it on the waiting list that were passed over. */
  readonly past: readonly string[];
  /** Of a correction: the new state, the seats added to the class, and the entry's choices in the form of a row. */
  readonly state: unknown;
  readonly extra: unknown;
  readonly choices: string;
}

type HistoryEvent = Readonly<Record<string, unknown>>;

/** Return the events that concern places, in order. Throws InvalidRecordError if one does not have their form. */
export function readPlaceEvents(history: readonly HistoryEvent[]): PlaceEvent[] {
  return history.filter((event) => MOVES.includes(event.event as Move)).map(readPlaceEvent);
}

function readPlaceEvent(event: HistoryEvent): PlaceEvent {
  const { answer_by: answerBy = null, past = [] } = event;
  if (!Array.isArray(past) || !Number.isSafeInteger(event.seats)) throw new InvalidRecordError("an event of the history without the form of one");
  return {
    move: event.event as Move,
    at: instant(event.at),
    reason: text(event.reason),
    entry: text(event.entry),
    classId: text(event.class),
    seats: event.seats as number,
    answerBy: answerBy === null ? null : instant(answerBy),
    past: past.map(text),
    state: event.state ?? null,
    extra: event.extra ?? 0,
    choices: text(event.choices ?? ""),
  };
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new InvalidRecordError("an event of the history without the form of one");
  return value;
}
