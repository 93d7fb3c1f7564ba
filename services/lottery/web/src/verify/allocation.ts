/** Who gets what, entry by entry, as docs/protocols.md §2 says it; written without a look at the draw's own program. */

import { sha256 } from "@noble/hashes/sha2.js";
import { utf8 } from "#shared/encoding.ts";
import { Refused } from "./canonical.ts";
import type { ClassRule, Rules } from "./manifest.ts";
import type { Entry } from "./rows.ts";
import { tickets } from "./tickets.ts";

export interface Attempt {
  readonly round: number;
  readonly classId: string;
  readonly seats: number;
  /** Seats the class had left at that moment. */
  readonly left: number;
  readonly outcome: "taken" | "held" | "clash" | "full";
}

export interface Result {
  /** Entry ids, the lowest ticket first. */
  readonly order: readonly string[];
  readonly winners: Readonly<Record<string, readonly string[]>>;
  readonly waiting: Readonly<Record<string, readonly string[]>>;
  readonly attempts: readonly Attempt[];
  /** The watched entry's ticket. */
  readonly ticket: string | null;
}

/** Told how much is done, from 0 to 1. */
export type Tell = (share: number) => void;

type Choices = Entry["choices"];

const TOLD_EACH = 20_000;

/** `watched`: an entry whose attempts are written down. Throws where an entry asks for a class that the draw has not. */
export async function allocate(
  key: Uint8Array<ArrayBuffer>,
  entries: readonly Entry[],
  classes: readonly ClassRule[],
  rules: Rules,
  watched: string | null = null,
  tell: Tell = () => undefined,
): Promise<Result> {
  const hall = new Hall(classes, watched);
  for (const { choices } of entries) hall.mustHave(choices);
  const drawn = await tickets(key, entries);
  const places = entries.map((_, at) => at).sort((one, other) => (drawn[one]! < drawn[other]! ? -1 : 1));
  const order = places.map((at) => entries[at]!);
  const wishes = rules.preferences ? new Map<string, Choices>() : await byChance(key, entries);
  for (let round = 1; round <= rules.maxWins; round++) {
    let took = false;
    for (let at = 0; at < order.length; at++) {
      const entry = order[round % 2 === 1 ? at : order.length - 1 - at]!;
      took = hall.serve(round, entry.id, wishes.get(entry.id) ?? entry.choices) || took;
      if (at % TOLD_EACH === 0) tell((round - 1 + at / order.length) / rules.maxWins);
    }
    if (!took) break;
  }
  const at = entries.findIndex((entry) => entry.id === watched);
  return {
    order: order.map((entry) => entry.id),
    winners: hall.winners,
    waiting: Object.fromEntries(classes.map((rule) => [rule.id, waiting(rule, order, hall, rules)])),
    attempts: hall.attempts,
    ticket: at === -1 ? null : drawn[at]!,
  };
}

const NOTHING: ReadonlySet<string> = new Set();

/** Seats while they are given out. */
class Hall {
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

  mustHave(choices: Choices): void {
    for (const [name] of choices) if (!this.left.has(name)) throw new Refused("an entry asks for a class that the draw has not");
  }

  heldBy(entry: string): ReadonlySet<string> {
    return this.held.get(entry) ?? NOTHING;
  }

  clashes(entry: string, name: string): boolean {
    const barred = this.barred.get(name)!;
    for (const other of this.heldBy(entry)) if (barred.has(other)) return true;
    return false;
  }

  /** Whether the entry took something. */
  serve(round: number, entry: string, choices: Choices): boolean {
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

function waiting(rule: ClassRule, order: readonly Entry[], hall: Hall, rules: Rules): string[] {
  const found: string[] = [];
  for (const entry of order) {
    if (found.length >= rule.waiting) break;
    if (!entry.choices.some(([name]) => name === rule.id)) continue;
    const held = hall.heldBy(entry.id);
    if (!held.has(rule.id) && held.size < rules.maxWins && !hall.clashes(entry.id, rule.id)) found.push(entry.id);
  }
  return found;
}

/** Without preferences the choices are tried by ascending AES-256-ECB-decrypt(SHA-256(K ‖ class id), entry). */
async function byChance(key: Uint8Array, entries: readonly Entry[]): Promise<Map<string, Choices>> {
  const names = [...new Set(entries.flatMap((entry) => entry.choices.map(([name]) => name)))];
  const lots = new Map<string, Map<string, string>>();
  for (const name of names) {
    const asking = entries.filter((entry) => entry.choices.some(([each]) => each === name));
    const drawn = await tickets(sha256(new Uint8Array([...key, ...utf8(name)])) as Uint8Array<ArrayBuffer>, asking);
    lots.set(name, new Map(asking.map((entry, at) => [entry.id, drawn[at]!])));
  }
  const lot = (name: string, entry: string): string => lots.get(name)!.get(entry)!;
  return new Map(
    entries.map((entry) => [entry.id, [...entry.choices].sort(([one], [other]) => (lot(one, entry.id) < lot(other, entry.id) ? -1 : 1))]),
  );
}
