/** Find what keeps a person from winning all classes that they chose. Pure; the lottery decides by the same rules. */

import type { Choice } from "./application.ts";
import type { EventClass, Rules } from "./campaign.ts";

export interface Conflicts {
  /** Pairs of chosen classes that overlap in time, in the order of choice. */
  readonly overlapping: readonly (readonly [EventClass, EventClass])[];
  /** True if more classes were chosen than one person can win. */
  readonly tooMany: boolean;
}

/** Return the conflicts of these choices. */
export function findConflicts(choices: readonly Choice[], rules: Rules): Conflicts {
  const chosen = choices.flatMap((choice) => rules.classes.filter((each) => each.id === choice.class));
  const pairs = chosen.flatMap((one, at) => chosen.slice(at + 1).map((other) => [one, other] as const));
  return { overlapping: pairs.filter(([one, other]) => overlap(one, other)), tooMany: choices.length > rules.max_wins };
}

/** Return true if the times overlap; a class that begins when the other ends does not. */
function overlap(one: EventClass, other: EventClass): boolean {
  return Date.parse(one.starts) < Date.parse(other.ends) && Date.parse(other.starts) < Date.parse(one.ends);
}
