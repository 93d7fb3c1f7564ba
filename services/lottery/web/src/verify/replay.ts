/** The history once more, from the draw's result on: whether each step was right, and how places stand after it. */

import { allocate } from "./allocation.ts";
import { Refused } from "./canonical.ts";
import type { Manifest } from "./manifest.ts";
import { readRows, type Entry } from "./rows.ts";
import { BadMove, Standing } from "./waiting_list.ts";
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
    } catch (error) {
      throw error instanceof BadMove ? new BadMove(`step ${at + 1}: ${error.message}`) : error;
    }
    before = step.at;
  }
  for (const [entry, given] of corrections(steps)) {
    if (!(await rightly(given, drawn))) throw new BadMove(`the draw would not have given entry ${entry} this, or more than this`);
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

/** By entry: what it got belongs together, for one place may exclude another. */
function corrections(steps: readonly Step[]): Map<string, Step[]> {
  const found = new Map<string, Step[]>();
  for (const step of steps) if (step.move === "corrected") found.set(step.entry, [...(found.get(step.entry) ?? []), step]);
  return found;
}

/** Whether one entry's corrections are all that the draw would have given: the same key, the same list, and this entry more. */
async function rightly(steps: readonly Step[], { manifest, entries, key }: Drawn): Promise<boolean> {
  const [first] = steps as readonly [Step, ...Step[]];
  if (steps.some((step) => step.choices !== first.choices)) return false;
  const [entry] = readRows(`${first.entry} ${first.choices}\n`);
  if (entry === undefined || entries.some((each) => each.id === entry.id)) return false;
  const asked = new Map(entry.choices);
  if (steps.some((step) => asked.get(step.classId) !== step.seats)) return false;
  const { winners, waiting } = await allocate(key, [...entries, entry], manifest.classes, manifest.rules);
  const holds = (places: Places): string[] => Object.keys(places).filter((name) => places[name]!.includes(entry.id));
  const given = new Map([...holds(winners).map((name) => [name, "held"] as const), ...holds(waiting).map((name) => [name, "waiting"] as const)]);
  return given.size === steps.length && steps.every((step) => given.get(step.classId) === step.state);
}
