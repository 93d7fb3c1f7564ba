/** What happened to places after the draw, as the record's history tells it (docs/protocols.md §2, "After the draw"). */

import { Refused } from "./canonical.ts";
import { instant, type Instant } from "./instants.ts";

export const MOVES = ["withdrawn", "declined", "expired", "released", "passed-over", "offered", "promoted", "accepted", "corrected"] as const;
export type Move = (typeof MOVES)[number];

export interface Step {
  readonly move: Move;
  readonly at: Instant;
  readonly reason: string;
  /** 32 hex digits. */
  readonly entry: string;
  readonly classId: string;
  readonly seats: number;
  /** Until when an offer can be answered. */
  readonly answerBy: Instant | null;
  /** Who stands before it on the waiting list and was passed. */
  readonly past: readonly string[];
  /** Of a correction: what it gives, the seats that it adds to the class, and the entry's choices as a row says them. */
  readonly state: unknown;
  readonly extra: unknown;
  readonly choices: string;
}

type Event = Readonly<Record<string, unknown>>;

/** The events that concern places, in their order. Throws where one has not their form. */
export function stepsOf(history: readonly Event[]): Step[] {
  return history.filter((event) => MOVES.includes(event.event as Move)).map(step);
}

function step(event: Event): Step {
  const { answer_by: answerBy = null, past = [] } = event;
  if (!Array.isArray(past) || !Number.isSafeInteger(event.seats)) throw new Refused("a step of the history that has not the form of one");
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
  if (typeof value !== "string") throw new Refused("a step of the history that has not the form of one");
  return value;
}
