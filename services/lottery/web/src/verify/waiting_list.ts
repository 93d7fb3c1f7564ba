/** Places as they stand after the draw, moved step by step; a step against the rules throws (docs/protocols.md §2, "After the draw"). */

import { HOUR, type Instant } from "./instants.ts";
import type { ClassRule, Promotion } from "./manifest.ts";
import type { Move, Step } from "./steps.ts";

export type State = "waiting" | "offered" | "held" | "gone";

export interface Place {
  readonly seats: number;
  readonly state: State;
  /** On the waiting list, from 1. */
  readonly position: number | null;
  readonly answerBy: Instant | null;
}

/** The rules do not allow this step; the text says which. */
export class BadMove extends Error {}

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

/** One class: its rule, the seats that corrections added, those that are taken, and who waits, in order. */
class Class {
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

export class Standing {
  private readonly classes: ReadonlyMap<string, Class>;
  private readonly places = new Map<string, Map<string, Place>>();

  constructor(rules: readonly ClassRule[], private readonly maxWins: number, private readonly promotion: Promotion) {
    this.classes = new Map(rules.map((rule) => [rule.id, new Class(rule)]));
  }

  /** By class. */
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

  apply(step: Step): void {
    const here = this.class(step.classId);
    if (step.move === "corrected") return this.correct(step, here);
    const place = this.of(step.entry).get(step.classId);
    if (place === undefined || !FROM[step.move].includes(place.state) || place.seats !== step.seats) {
      throw new BadMove(`${step.move} is not possible for this place`);
    }
    this.demand(step, place, here);
    this.put(step.entry, here, { ...place, state: TO[step.move] ?? "gone", answerBy: step.answerBy });
  }

  private class(id: string): Class {
    const found = this.classes.get(id);
    if (found === undefined) throw new BadMove("the class does not exist");
    return found;
  }

  private put(entry: string, here: Class, place: Place): void {
    const own = this.places.get(entry) ?? new Map<string, Place>();
    here.taken += taken(place) - taken(own.get(here.rule.id));
    here.positions = Math.max(here.positions, place.position ?? 0);
    if (place.state === "waiting") here.line.add(entry);
    else here.line.delete(entry);
    this.places.set(entry, own.set(here.rule.id, place));
  }

  /** What a move asks for besides the state it starts from. */
  private demand(step: Step, place: Place, here: Class): void {
    if (step.move === "offered" || step.move === "promoted") return this.demandTurn(step, here);
    const late = place.answerBy !== null && step.at >= place.answerBy;
    if (step.move === "passed-over" && this.obstacle(step.entry, here, ["held"]) !== step.reason) throw new BadMove("this entry could still take the class");
    if (step.move === "accepted" && late) throw new BadMove("the time to answer was over");
    if (step.move === "expired" && !late) throw new BadMove("the time to answer was not over");
    if (step.move === "released" && step.at < here.rule.starts) throw new BadMove("released before the class began");
  }

  private demandTurn(step: Step, here: Class): void {
    const present = step.move === "promoted" && step.reason === "present";
    const due = present ? this.present(step, here) : this.turn(here, step.at);
    if (due?.entry !== step.entry || due.past.join() !== step.past.join()) throw new BadMove("it was somebody else's turn");
    const asks = step.move === "offered";
    const answerBy = asks ? Math.min(step.at + this.promotion.offerHours * HOUR, this.lastAnswer(here)) : null;
    const rightKind = present || asks === this.promotion.offerHours > 0;
    if (step.answerBy !== answerBy || !rightKind) throw new BadMove("the time to answer is not that of the manifest");
  }

  /** Whose turn it is: the first who may take the class and fits; a group before it holds the seats until the set time. */
  private turn(here: Class, at: Instant): Turn | null {
    if (here.free <= 0 || at >= this.lastAnswer(here)) return null;
    const past: string[] = [];
    for (const entry of this.mayTake(here)) {
      if (this.seats(entry, here) <= here.free) return { entry, past };
      if (at < (this.promotion.holdUntil ?? here.rule.starts)) return null;
      past.push(entry);
    }
    return null;
  }

  /** Somebody who waits and is there, once nobody is asked any more. */
  private present({ entry, at }: Step, here: Class): Turn {
    if (at < this.lastAnswer(here)) throw new BadMove("seats are still offered in the order of the waiting list");
    const ahead = [...this.mayTake(here)];
    const place = ahead.indexOf(entry);
    if (place === -1 || this.seats(entry, here) > here.free) throw new BadMove("there are not enough free seats, or this entry may not take another class");
    return { entry, past: ahead.slice(0, place) };
  }

  private lastAnswer({ rule }: Class): Instant {
    return Math.min(this.promotion.offersUntil ?? rule.starts, rule.starts);
  }

  private *mayTake(here: Class): Generator<string> {
    for (const entry of here.line) if (this.obstacle(entry, here, SEATED) === null) yield entry;
  }

  private seats(entry: string, here: Class): number {
    return this.of(entry).get(here.rule.id)!.seats;
  }

  /** What keeps an entry from a class, by those of its other places that are in `states`. */
  private obstacle(entry: string, { rule }: Class, states: readonly State[]): "limit" | "clash" | null {
    const others = [...this.of(entry)].filter(([name, place]) => name !== rule.id && states.includes(place.state));
    if (others.length >= this.maxWins) return "limit";
    const overlapping = others.some(([name]) => {
      const other = this.class(name).rule;
      return rule.starts < other.ends && other.starts < rule.ends;
    });
    return overlapping ? "clash" : null;
  }

  /** A place that was not there: at the end of the waiting list, or with seats that nobody waits for or that it adds. */
  private correct(step: Step, here: Class): void {
    if (this.of(step.entry).has(step.classId)) throw new BadMove("a correction begins a place that was not there");
    const unclaimed = here.free >= step.seats && here.line.size === 0;
    const extra = step.state === "held" && !unclaimed ? step.seats : 0;
    if ((step.state !== "held" && step.state !== "waiting") || step.extra !== extra) {
      throw new BadMove("the correction does not add the seats that it takes");
    }
    here.extra += extra;
    if (step.state === "held") this.won(step.entry, step.classId, step.seats);
    else this.waits(step.entry, step.classId, step.seats);
  }
}

function taken(place: Place | undefined): number {
  return place !== undefined && SEATED.includes(place.state) ? place.seats : 0;
}
