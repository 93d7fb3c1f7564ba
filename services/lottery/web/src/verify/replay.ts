/** The history once more, from the draw's result on: whether each step was right, and how places stand after it. */

import { allocate } from "./allocation.ts";
import { Refused } from "./canonical.ts";
import type { Manifest } from "./manifest.ts";
import { readRows, type Entry } from "./rows.ts";
import { BadMove, Standing } from "./standing.ts";
import type { Step } from "./steps.ts";

type Places = Readonly<Record<string, readonly string[]>>;

export interface Drawn {
  readonly manifest: Manifest;
  readonly entries: readonly Entry[];
  readonly key: Uint8Array<ArrayBuffer>;
}

/** Throws BadMove at the first step that was not right. */
export async function replayed(winners: Places, waiting: Places, drawn: Drawn, steps: readonly Step[]): Promise<Standing> {
  const standing = afterDraw(winners, waiting, drawn);
  let before = -Infinity;
  for (const [at, step] of steps.entries()) {
    try {
      if (step.at < before) throw new BadMove("the history goes back in time");
      standing.apply(step);
      if (step.move === "corrected" && !(await rightly(step, drawn))) throw new BadMove("the draw would not have given this");
    } catch (error) {
      throw error instanceof BadMove ? new BadMove(`step ${at + 1}: ${error.message}`) : error;
    }
    before = step.at;
  }
  return standing;
}

function afterDraw(winners: Places, waiting: Places, { manifest, entries }: Drawn): Standing {
  const standing = new Standing(manifest.classes, manifest.rules.maxWins, manifest.promotion);
  const choices = new Map(entries.map((entry) => [entry.id, entry.choices]));
  const seats = (entry: string, classId: string): number => {
    const found = choices.get(entry)?.find(([name]) => name === classId);
    if (found === undefined) throw new Refused("a place for an entry that did not ask for it");
    return found[1];
  };
  for (const [name, ids] of Object.entries(winners)) for (const entry of ids) standing.won(entry, name, seats(entry, name));
  for (const [name, ids] of Object.entries(waiting)) for (const entry of ids) standing.waits(entry, name, seats(entry, name));
  return standing;
}

/** A correction gives what the draw would have given: the same key, the same list, and this one entry more. */
async function rightly(step: Step, { manifest, entries, key }: Drawn): Promise<boolean> {
  const [entry] = readRows(`${step.entry} ${step.choices}\n`);
  if (entry === undefined || entries.some((each) => each.id === entry.id)) return false;
  if (!entry.choices.some(([name, seats]) => name === step.classId && seats === step.seats)) return false;
  const result = await allocate(key, [...entries, entry], manifest.classes, manifest.rules);
  return (step.state === "held" ? result.winners : result.waiting)[step.classId]!.includes(entry.id);
}
