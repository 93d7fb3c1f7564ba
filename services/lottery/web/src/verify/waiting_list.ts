/** Waiting lists after the draw; applies events and throws if one breaks a rule (docs/protocols.md §2, "After the draw"). */

import { HOUR, type Instant } from "./instants.ts";
import type { ClassRule, Promotion } from "./manifest.ts";
import type { Move, PlaceEvent } from "./place_events.ts";
import type { TakenPlace } from "./taken_over.ts";

export type State = "waiting" | "offered" | "held" | "gone";

export interface Place {
  readonly seats: number;
  readonly state: State;
  /** Position on the waiting list, from 1. */
  readonly position: number | null;
  readonly answerBy: Instant | null;
}

/** Thrown when the rules do not allow an event; the message says which. */
export class InvalidMoveError extends Error {}

const FROM: Readonly<Record<Exclude<Move, "corrected">, readonly State[]>> = {
  withdrawn: ["held", "offered", "waiting"],
  declined: ["offered"],
  expired: ["offered"],
  released: ["held"],
  "passed-over": ["waiting"],
  offered: ["waiting"],
  promoted: ["waiting"],
  accepted: ["offered"],
};
const TO: Readonly<Partial<Record<Move, State>>> = { offered: "offered", promoted: "held", accepted: "held" };
const SEATED: readonly State[] = ["held", "offered"];

/** A class: its rule, seats added by corrections, seats taken, and the waiting entries in order. */
class ClassSeats {
  extra = 0;
  taken = 0;
  positions = 0;
  readonly line = new Set<string>();

  constructor(readonly rule: ClassRule) {}

  get free(): number {
    return this.rule.capacity + this.extra - this.taken;
  }
}

interface Turn {
  readonly entry: string;
  readonly past: readonly string[];
}

export class WaitingLists {
  private readonly classes: ReadonlyMap<string, ClassSeats>;
  private readonly places = new Map<string, Map<string, Place>>();

  constructor(rules: readonly ClassRule[], private readonly maxWins: number, private readonly promotion: Promotion) {
    this.classes = new Map(rules.map((rule) => [rule.id, new ClassSeats(rule)]));
  }

  /** Return the entry's places by class. */
  of(entry: string): ReadonlyMap<string, Place> {
    return this.places.get(entry) ?? new Map();
  }

  won(entry: string, classId: string, seats: number): void {
    this.put(entry, this.class(classId), { seats, state: "held", position: null, answerBy: null });
  }

  waits(entry: string, classId: string, seats: number): void {
    const here = this.class(classId);
    this.put(entry, here, { seats, state: "waiting", position: here.positions + 1, answerBy: null });
  }

  /** Add the places that the draw before a further round left, in the order of their text, and seats of corrections. */
  takeOver(places: readonly TakenPlace[], extra: Readonly<Record<string, number>>): void {
    for (const [name, seats] of Object.entries(extra)) this.class(name).extra = seats;
    for (const { classId, position, entry, seats } of places) {
      const [state, at] = position === 0 ? (["held", null] as const) : (["waiting", position] as const);
      this.put(entry, this.class(classId), { seats, state, position: at, answerBy: null });
    }
  }

  /** End the waiting that the winners' places forbid now. */
  endWaiting(winners: Iterable<string>): void {
    for (const entry of new Set(winners)) {
      const waits = [...this.of(entry)].filter(([, { state }]) => state === "waiting");
      const ended = waits.filter(([name]) => this.obstacle(entry, this.class(name), ["held"]) !== null);
      for (const [name, place] of ended) this.put(entry, this.class(name), { ...place, state: "gone" });
    }
  }

  /** Return the held and waiting places. Throws InvalidMoveError while a place is offered: no further round begins then. */
  left(): readonly TakenPlace[] {
    const all = [...this.places].flatMap(([entry, own]) => [...own].map(([classId, place]) => ({ entry, classId, place })));
    if (all.some(({ place }) => place.state === "offered")) throw new InvalidMoveError("a place is still offered");
    const kept = all.filter(({ place }) => place.state !== "gone");
    return kept.map(({ entry, classId, place }) => ({ entry, classId, seats: place.seats, position: place.state === "held" ? 0 : place.position ?? 0 }));
  }

  free(classId: string): number {
    return this.class(classId).free;
  }

  waitingCount(classId: string): number {
    return this.class(classId).line.size;
  }

  apply(event: PlaceEvent): void {
    const here = this.class(event.classId);
    if (event.move === "corrected") return this.correct(event, here);
    const place = this.of(event.entry).get(event.classId);
    if (place === undefined || !FROM[event.move].includes(place.state) || place.seats !== event.seats) {
      throw new InvalidMoveError(`${event.move} is not possible for this place`);
    }
    this.checkMove(event, place, here);
    this.put(event.entry, here, { ...place, state: TO[event.move] ?? "gone", answerBy: event.answerBy });
  }

  private class(id: string): ClassSeats {
    const found = this.classes.get(id);
    if (found === undefined) throw new InvalidMoveError("the class does not exist");
    return found;
  }

  private put(entry: string, here: ClassSeats, place: Place): void {
    const own = this.places.get(entry) ?? new Map<string, Place>();
    here.taken += taken(place) - taken(own.get(here.rule.id));
    here.positions = Math.max(here.positions, place.position ?? 0);
    if (place.state === "waiting") here.line.add(entry);
    else here.line.delete(entry);
    this.places.set(entry, own.set(here.rule.id, place));
  }

  /** Check what a move requires besides its first state. */
  private checkMove(event: PlaceEvent, place: Place, here: ClassSeats): void {
    if (event.move === "offered" || event.move === "promoted") return this.checkTurn(event, here);
    const late = place.answerBy !== null && event.at >= place.answerBy;
    if (event.move === "passed-over" && this.obstacle(event.entry, here, ["held"]) !== event.reason) throw new InvalidMoveError("this entry could still take the class");
    if (event.move === "accepted" && late) throw new InvalidMoveError("the time to answer was over");
    if (event.move === "expired" && !late) throw new InvalidMoveError("the time to answer was not over");
    if (event.move === "released" && event.at < here.rule.starts) throw new InvalidMoveError("released before the class began");
  }

  private checkTurn(event: PlaceEvent, here: ClassSeats): void {
    const present = event.move === "promoted" && event.reason === "present";
    const due = present ? this.present(event, here) : this.turn(here, event.at);
    if (due?.entry !== event.entry || due.past.join() !== event.past.join()) throw new InvalidMoveError("another entry was next");
    const asks = event.move === "offered";
    const answerBy = asks ? Math.min(event.at + this.promotion.offerHours * HOUR, this.lastAnswer(here)) : null;
    const rightKind = present || asks === this.promotion.offerHours > 0;
    if (event.answerBy !== answerBy || !rightKind) throw new InvalidMoveError("the time to answer is not that of the manifest");
  }

  /** Return the next entry: the first that may take the class and fits. A group before it holds the seats until `holdUntil`. */
  private turn(here: ClassSeats, at: Instant): Turn | null {
    if (here.free <= 0 || at >= this.lastAnswer(here)) return null;
    const past: string[] = [];
    for (const entry of this.mayTake(here)) {
      if (this.seats(entry, here) <= here.free) return { entry, past };
      if (at < (this.promotion.holdUntil ?? here.rule.starts)) return null;
      past.push(entry);
    }
    return null;
  }

  /** Return the turn of a waiting entry that is present, after the time of the last answer. */
  private present({ entry, at }: PlaceEvent, here: ClassSeats): Turn {
    if (at < this.lastAnswer(here)) throw new InvalidMoveError("seats are still offered in the order of the waiting list");
    const ahead = [...this.mayTake(here)];
    const place = ahead.indexOf(entry);
    if (place === -1 || this.seats(entry, here) > here.free) throw new InvalidMoveError("there are not enough free seats, or this entry may not take another class");
    return { entry, past: ahead.slice(0, place) };
  }

  private lastAnswer({ rule }: ClassSeats): Instant {
    return Math.min(this.promotion.offersUntil ?? rule.starts, rule.starts);
  }

  private *mayTake(here: ClassSeats): Generator<string> {
    for (const entry of here.line) if (this.obstacle(entry, here, SEATED) === null) yield entry;
  }

  private seats(entry: string, here: ClassSeats): number {
    return this.of(entry).get(here.rule.id)!.seats;
  }

  /** Return the obstacle that the entry's other places in `states` are to a class; null if there is none. */
  private obstacle(entry: string, { rule }: ClassSeats, states: readonly State[]): "limit" | "clash" | null {
    const others = [...this.of(entry)].filter(([name, place]) => name !== rule.id && states.includes(place.state));
    if (others.length >= this.maxWins) return "limit";
    const overlapping = others.some(([name]) => {
      const other = this.class(name).rule;
      return rule.starts < other.ends && other.starts < rule.ends;
    });
    return overlapping ? "clash" : null;
  }

  /** Add a place: at the end of the waiting list, or with free unclaimed seats, or with seats that the correction adds. */
  private correct(event: PlaceEvent, here: ClassSeats): void {
    if (this.of(event.entry).has(event.classId)) throw new InvalidMoveError("a correction begins a place that was not there");
    const unclaimed = here.free >= event.seats && here.line.size === 0;
    const extra = event.state === "held" && !unclaimed ? event.seats : 0;
    if ((event.state !== "held" && event.state !== "waiting") || event.extra !== extra) {
      throw new InvalidMoveError("the correction does not add the seats that it takes");
    }
    here.extra += extra;
    if (event.state === "held") this.won(event.entry, event.classId, event.seats);
    else this.waits(event.entry, event.classId, event.seats);
  }
}

function taken(place: Place | undefined): number {
  return place !== undefined && SEATED.includes(place.state) ? place.seats : 0;
}
