/** Allocation of seats, entry by entry, as docs/protocols.md §2 defines it; independent of the lottery's own program. */

import { InvalidRecordError } from "./canonical.ts";
import { preferred, shuffled } from "./choice_order.ts";
import type { Choices, EntryList } from "./entry_list.ts";
import { HeldSets } from "./held_sets.ts";
import { hex } from "./hex.ts";
import type { ClassRule, Rules } from "./manifest.ts";
import { compareTickets, tickets } from "./tickets.ts";

export interface Attempt {
  readonly round: number;
  readonly classId: string;
  readonly seats: number;
  /** Seats that the class had left before the attempt. */
  readonly left: number;
  readonly outcome: "taken" | "held" | "limit" | "clash" | "full";
}

/** Positions of entries in the list. */
export type Positions = readonly number[];

export interface Result {
  /** Positions of all entries by ascending ticket. */
  readonly order: Uint32Array;
  readonly winners: Readonly<Record<string, Positions>>;
  readonly waiting: Readonly<Record<string, Positions>>;
  readonly attempts: readonly Attempt[];
  /** Ticket of the watched entry, in hex. */
  readonly ticket: string | null;
}

/** Called with the share that is done, from 0 to 1. */
export type OnProgress = (share: number) => void;

const PROGRESS_EVERY = 20_000;
const TICKET_BYTES = 16;

/** Classes by entry. */
export type Held = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Allocate all seats. `watched`: position of an entry whose attempts are recorded, or -1; `before`: classes that entries hold before a further round.
 * Throws InvalidRecordError if an entry asks for a class that the draw does not have.
 */
export async function allocate(
  key: Uint8Array<ArrayBuffer>,
  entries: EntryList,
  classes: readonly ClassRule[],
  rules: Rules,
  watched = -1,
  onProgress: OnProgress = () => undefined,
  before: Held = new Map(),
): Promise<Result> {
  const table = new SeatTable(entries.length, classes, rules, watched);
  table.holdBefore(entries, before);
  for (const choices of entries.table) table.requireClasses(choices);
  const drawn = await tickets(key, entries.ids);
  const order = Uint32Array.from({ length: entries.length }, (_, at) => at).sort((one, other) => compareTickets(drawn, one, drawn, other));
  const choicesOf = rules.preferences ? preferred(entries) : await shuffled(key, entries);
  for (let round = 1; round <= rules.maxWins; round++) {
    let took = false;
    for (let at = 0; at < order.length; at++) {
      const entry = order[round % 2 === 1 ? at : order.length - 1 - at]!;
      took = table.takeFirst(round, entry, choicesOf(entry)) || took;
      if (at % PROGRESS_EVERY === 0) onProgress((round - 1 + at / order.length) / rules.maxWins);
    }
    if (!took) break;
  }
  return {
    order,
    winners: table.winners,
    waiting: Object.fromEntries(classes.map((rule, number) => [rule.id, waiting(rule, number, entries, order, table, rules)])),
    attempts: table.attempts,
    ticket: watched < 0 ? null : hex(drawn.subarray(watched * TICKET_BYTES, (watched + 1) * TICKET_BYTES)),
  };
}

/** Seats of all classes during the allocation. Classes are numbered in the manifest's order. */
class SeatTable {
  readonly winners: Record<string, number[]> = {};
  readonly attempts: Attempt[] = [];
  readonly held: HeldSets;
  private readonly left: number[];
  private readonly numbers: ReadonlyMap<string, number>;

  constructor(entries: number, classes: readonly ClassRule[], private readonly rules: Rules, private readonly watched: number) {
    for (const { id } of classes) this.winners[id] = [];
    this.left = classes.map(({ capacity }) => capacity);
    this.numbers = new Map(classes.map(({ id }, number) => [id, number]));
    const overlap = (one: ClassRule, other: ClassRule): boolean => one !== other && one.starts < other.ends && other.starts < one.ends;
    this.held = new HeldSets(entries, classes.map((rule) => new Set(classes.flatMap((other, number) => (overlap(rule, other) ? [number] : [])))));
  }

  requireClasses(choices: Choices): void {
    for (const [name] of choices) if (!this.numbers.has(name)) throw new InvalidRecordError("an entry asks for a class that the draw does not have");
  }

  /** Give entries the classes that they hold before a further round. */
  holdBefore(entries: EntryList, before: Held): void {
    for (const [id, names] of before) {
      const at = entries.find(id);
      if (at >= 0) for (const name of names) this.held.take(at, this.numbers.get(name)!);
    }
  }

  /** Return what the entry's own places forbid; `limit` only in a further round: there are `maxWins` rounds. */
  private obstacle(entry: number, number: number): "held" | "limit" | "clash" | null {
    if (this.held.holds(entry, number)) return "held";
    if (this.held.heldBy(entry).length >= this.rules.maxWins) return "limit";
    return this.held.clashes(entry, number) ? "clash" : null;
  }

  /** Give the entry its first possible choice. Return true if it took one. */
  takeFirst(round: number, entry: number, choices: Choices): boolean {
    for (const [name, seats] of choices) {
      const number = this.numbers.get(name)!;
      const left = this.left[number]!;
      const outcome = this.obstacle(entry, number) ?? (left < seats ? "full" : "taken");
      if (entry === this.watched) this.attempts.push({ round, classId: name, seats, left, outcome });
      if (outcome !== "taken") continue;
      this.left[number] = left - seats;
      this.winners[name]!.push(entry);
      this.held.take(entry, number);
      return true;
    }
    return false;
  }
}

function waiting(rule: ClassRule, number: number, entries: EntryList, order: Uint32Array, { held }: SeatTable, rules: Rules): Positions {
  const asks = entries.table.map((choices) => choices.some(([name]) => name === rule.id));
  const found: number[] = [];
  for (const entry of order) {
    if (found.length >= rule.waiting) break;
    if (!asks[entries.lists[entry]!] || held.holds(entry, number)) continue;
    if (held.heldBy(entry).length < rules.maxWins && !held.clashes(entry, number)) found.push(entry);
  }
  return found;
}
