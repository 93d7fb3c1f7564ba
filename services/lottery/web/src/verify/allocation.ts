/** Allocation of seats, entry by entry, as docs/protocols.md §2 defines it; independent of the lottery's own program. */

import { sha256 } from "@noble/hashes/sha2.js";
import { utf8 } from "#shared/encoding.ts";
import { InvalidRecordError } from "./canonical.ts";
import type { ClassRule, Rules } from "./manifest.ts";
import type { Entry } from "./rows.ts";
import { tickets } from "./tickets.ts";

export interface Attempt {
  readonly round: number;
  readonly classId: string;
  readonly seats: number;
  /** Seats that the class had left before the attempt. */
  readonly left: number;
  readonly outcome: "taken" | "held" | "clash" | "full";
}

export interface Result {
  /** Entry ids by ascending ticket. */
  readonly order: readonly string[];
  readonly winners: Readonly<Record<string, readonly string[]>>;
  readonly waiting: Readonly<Record<string, readonly string[]>>;
  readonly attempts: readonly Attempt[];
  /** Ticket of the watched entry. */
  readonly ticket: string | null;
}

/** Called with the share that is done, from 0 to 1. */
export type OnProgress = (share: number) => void;

type Choices = Entry["choices"];

const PROGRESS_EVERY = 20_000;

/**
 * Allocate all seats. `watched`: an entry whose attempts are recorded.
 * Throws InvalidRecordError if an entry asks for a class that the draw does not have.
 */
export async function allocate(
  key: Uint8Array<ArrayBuffer>,
  entries: readonly Entry[],
  classes: readonly ClassRule[],
  rules: Rules,
  watched: string | null = null,
  onProgress: OnProgress = () => undefined,
): Promise<Result> {
  const table = new SeatTable(classes, watched);
  for (const { choices } of entries) table.requireClasses(choices);
  const drawn = await tickets(key, entries);
  const ranking = entries.map((_, at) => at).sort((one, other) => (drawn[one]! < drawn[other]! ? -1 : 1));
  const order = ranking.map((at) => entries[at]!);
  const choiceOrders = rules.preferences ? new Map<string, Choices>() : await shuffleChoices(key, entries);
  for (let round = 1; round <= rules.maxWins; round++) {
    let took = false;
    for (let at = 0; at < order.length; at++) {
      const entry = order[round % 2 === 1 ? at : order.length - 1 - at]!;
      took = table.takeFirst(round, entry.id, choiceOrders.get(entry.id) ?? entry.choices) || took;
      if (at % PROGRESS_EVERY === 0) onProgress((round - 1 + at / order.length) / rules.maxWins);
    }
    if (!took) break;
  }
  const at = entries.findIndex((entry) => entry.id === watched);
  return {
    order: order.map((entry) => entry.id),
    winners: table.winners,
    waiting: Object.fromEntries(classes.map((rule) => [rule.id, waiting(rule, order, table, rules)])),
    attempts: table.attempts,
    ticket: at === -1 ? null : drawn[at]!,
  };
}

const NOTHING: ReadonlySet<string> = new Set();

/** Seats of all classes during the allocation. */
class SeatTable {
  readonly winners: Record<string, string[]> = {};
  readonly attempts: Attempt[] = [];
  private readonly left = new Map<string, number>();
  private readonly barred = new Map<string, ReadonlySet<string>>();
  private readonly held = new Map<string, Set<string>>();

  constructor(classes: readonly ClassRule[], private readonly watched: string | null) {
    for (const rule of classes) {
      this.winners[rule.id] = [];
      this.left.set(rule.id, rule.capacity);
      const overlapping = classes.filter((other) => other !== rule && rule.starts < other.ends && other.starts < rule.ends);
      this.barred.set(rule.id, new Set(overlapping.map((other) => other.id)));
    }
  }

  requireClasses(choices: Choices): void {
    for (const [name] of choices) if (!this.left.has(name)) throw new InvalidRecordError("an entry asks for a class that the draw does not have");
  }

  heldBy(entry: string): ReadonlySet<string> {
    return this.held.get(entry) ?? NOTHING;
  }

  clashes(entry: string, name: string): boolean {
    const barred = this.barred.get(name)!;
    for (const other of this.heldBy(entry)) if (barred.has(other)) return true;
    return false;
  }

  /** Give the entry its first possible choice. Return true if it took one. */
  takeFirst(round: number, entry: string, choices: Choices): boolean {
    for (const [name, seats] of choices) {
      const left = this.left.get(name)!;
      const outcome = this.heldBy(entry).has(name) ? "held" : this.clashes(entry, name) ? "clash" : left < seats ? "full" : "taken";
      if (entry === this.watched) this.attempts.push({ round, classId: name, seats, left, outcome });
      if (outcome !== "taken") continue;
      this.left.set(name, left - seats);
      this.winners[name]!.push(entry);
      this.held.set(entry, new Set([...this.heldBy(entry), name]));
      return true;
    }
    return false;
  }
}

function waiting(rule: ClassRule, order: readonly Entry[], table: SeatTable, rules: Rules): string[] {
  const found: string[] = [];
  for (const entry of order) {
    if (found.length >= rule.waiting) break;
    if (!entry.choices.some(([name]) => name === rule.id)) continue;
    const held = table.heldBy(entry.id);
    if (!held.has(rule.id) && held.size < rules.maxWins && !table.clashes(entry.id, rule.id)) found.push(entry.id);
  }
  return found;
}

/** Order each entry's choices by ascending AES-256-ECB-decrypt(SHA-256(K ‖ class id), entry): the order without preferences. */
async function shuffleChoices(key: Uint8Array, entries: readonly Entry[]): Promise<Map<string, Choices>> {
  const names = [...new Set(entries.flatMap((entry) => entry.choices.map(([name]) => name)))];
  const lots = new Map<string, Map<string, string>>();
  for (const name of names) {
    const asking = entries.filter((entry) => entry.choices.some(([asked]) => asked === name));
    const drawn = await tickets(sha256(new Uint8Array([...key, ...utf8(name)])) as Uint8Array<ArrayBuffer>, asking);
    lots.set(name, new Map(asking.map((entry, at) => [entry.id, drawn[at]!])));
  }
  const lot = (name: string, entry: string): string => lots.get(name)!.get(entry)!;
  return new Map(
    entries.map((entry) => [entry.id, [...entry.choices].sort(([one], [other]) => (lot(one, entry.id) < lot(other, entry.id) ? -1 : 1))]),
  );
}
