/** Facts of a readable record that the page shows. */

import type { VerifiedRecord } from "./checks.ts";
import { drawnClasses } from "./manifest.ts";
import { isOwnChain } from "./randomness.ts";

export interface ClassFacts {
  readonly id: string;
  readonly capacity: number;
  readonly asked: number;
  readonly won: number;
  readonly seats: number;
  readonly waiting: number;
}

export interface Facts {
  readonly draw: string;
  readonly entries: number;
  readonly frozenAt: string;
  readonly dice: string | null;
  /** Roles of the witnesses, in the order of their digits. */
  readonly witnesses: readonly string[];
  readonly evidence: readonly string[];
  readonly round: number;
  readonly key: string;
  readonly rehearsal: boolean;
  /** The beacon is a rehearsal's chain, whose owner knew its value. */
  readonly ownChain: boolean;
  /** Numbers of open applications at a freeze by override, and its reason. */
  readonly override: { readonly held: number; readonly undecided: number; readonly reason: string } | null;
  /** The draw that this one corrects, and the reason. */
  readonly previous: { readonly draw: string; readonly reason: string } | null;
  /** True for a further round. */
  readonly further: boolean;
  readonly classes: readonly ClassFacts[];
}

/** Read the facts. The record may be invalid, so members may be missing. */
export function readFacts({ manifest, entries }: VerifiedRecord, content: Readonly<Record<string, any>>): Facts {
  return {
    draw: manifest.draw,
    entries: entries.length,
    frozenAt: manifest.frozenAt,
    dice: content.dice,
    witnesses: (Array.isArray(content.dice_acts) ? content.dice_acts : []).map(({ role }) => String(role)),
    evidence: list(content.dice_evidence),
    round: manifest.beacon.round,
    key: content.signing_key,
    rehearsal: manifest.rehearsal,
    ownChain: isOwnChain(manifest),
    override: manifest.override,
    previous: manifest.previous,
    further: manifest.further !== null,
    classes: classesOf({ manifest, entries }, content),
  };
}

function classesOf({ manifest, entries }: Pick<VerifiedRecord, "manifest" | "entries">, content: Readonly<Record<string, any>>): ClassFacts[] {
  const seatsOf = (entry: string, id: string): number => {
    const at = entries.find(entry);
    return at < 0 ? 0 : (entries.choices(at).find(([name]) => name === id)?.[1] ?? 0);
  };
  return drawnClasses(manifest).map(({ id, capacity }) => {
    const won = list(content.winners[id]);
    const taken = won.reduce((sum, entry) => sum + seatsOf(entry, id), 0);
    return { id, capacity, asked: manifest.byClass[id] ?? 0, won: won.length, seats: taken, waiting: list(content.waiting[id]).length };
  });
}

/** Return the list, or an empty one if an invalid record has none. */
function list(value: unknown): readonly string[] {
  return Array.isArray(value) ? value : [];
}
