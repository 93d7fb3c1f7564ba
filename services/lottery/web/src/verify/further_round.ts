/** Rules of a further round, and its checks with the draws that it continues (docs/spec/draw-2.md §15). */

import { sha256 } from "@noble/hashes/sha2.js";
import { utf8 } from "#shared/encoding.ts";
import type { Check, VerifiedRecord } from "./checks.ts";
import { randomnessFrom, type ClassRule, type Further, type Manifest } from "./manifest.ts";
import type { Move } from "./place_events.ts";
import { checkCorrections } from "./replay.ts";
import type { Choices, EntryList } from "./entry_list.ts";
import { hex } from "./hex.ts";
import { LineTree } from "./merkle.ts";
import { heldClasses, writePlaces, type TakenPlace } from "./taken_over.ts";
import { WaitingLists } from "./waiting_list.ts";

type Names = ReadonlySet<string>;

const NONE: Names = new Set();
const GIVEN_UP: readonly Move[] = ["withdrawn", "declined", "expired", "released"];

/** Yield the checks of a further round from its own record: places taken over, free seats, and entries that may take part. */
export function* takenOverChecks(manifest: Manifest, further: Further, text: string, places: readonly TakenPlace[], entries: EntryList): Generator<Check> {
  const tree = new LineTree();
  tree.push(utf8(text));
  const committed = places.length === further.places.count && tree.root() === further.places.root;
  yield { name: "places taken over", passed: committed, found: { places: places.length } };
  yield { name: "who takes part", passed: further.scope === manifest.scope, found: { scope: manifest.scope } };
  const lists = new WaitingLists(manifest.classes, manifest.rules.maxWins, manifest.promotion);
  lists.takeOver(places, further.extra);
  const seats = seatsToDraw(manifest, lists);
  const same = seats.size === Object.keys(further.free).length && [...seats].every(([name, free]) => further.free[name] === free);
  yield { name: "free seats", passed: same && manifest.classes.every(({ id }) => lists.free(id) >= 0), found: { seats: [...seats.values()].reduce((sum, free) => sum + free, 0) } };
  const held = heldClasses(places);
  const may = positions(entries).every((at) => {
    const choices = entries.choices(at);
    return sameChoices(choices, choicesInRound(manifest, further, choices, held.get(entries.id(at)) ?? NONE, NONE));
  });
  yield { name: "further round", passed: may };
}

/** Return the check that a further round continues these draws, oldest first, and leaves no entry out that may take part. */
export async function checkContinued(record: VerifiedRecord, earlier: readonly VerifiedRecord[]): Promise<Check> {
  const fault = await findFault(record, earlier).catch((error: unknown) => String(error));
  return { name: "draws before", passed: fault === null, found: fault === null ? { draws: earlier.length } : { text: fault } };
}

async function findFault(record: VerifiedRecord, earlier: readonly VerifiedRecord[]): Promise<string | null> {
  const [first, last, further] = [earlier[0], earlier.at(-1), record.manifest.further];
  if (first === undefined || last === undefined || further === null || first.manifest.further !== null) return "these are not the draws that it continues";
  for (const [at, one] of [...earlier.slice(1), record].entries()) {
    if (one.manifest.further?.manifestSha256 !== hex(sha256(utf8(earlier[at]!.manifest.line)))) return "these are not the draws that it continues";
  }
  if ([...earlier, record].some((one) => one.manifest.scope !== first.manifest.scope)) return "who takes part is not as the first draw fixed it";
  if (last.lastEvent !== further.historySha256) return "the draw before has another history";
  if (last.lists === null || writePlaces(last.lists.left()) !== writePlaces(record.places)) return "it does not begin with the places that the draw before left";
  await checkCorrections([...earlier, record].flatMap(({ events }) => events), first);
  return findMissing(record, further, first, earlier);
}

/** Return a fault if the list is not that of the first draw's entries that may take part, each with its choices. */
function findMissing(record: VerifiedRecord, further: Further, first: VerifiedRecord, earlier: readonly VerifiedRecord[]): string | null {
  const [listed, held, givenUp] = [record.entries, heldClasses(record.places), classesGivenUp(earlier)];
  if (positions(listed).some((at) => first.entries.find(listed.id(at)) < 0)) return "an entry takes part that was not in the draw";
  for (let at = 0; at < first.entries.length; at++) {
    const id = first.entries.id(at);
    const expected = choicesInRound(record.manifest, further, first.entries.choices(at), held.get(id) ?? NONE, givenUp.get(id) ?? NONE);
    const place = listed.find(id);
    const found = place < 0 ? [] : listed.choices(place);
    const whole = further.scope === "everybody" || found.length === expected.length;
    const gaveUp = found.some(([name]) => givenUp.get(id)?.has(name));
    if (!whole || gaveUp || !sameChoices(found.slice(0, expected.length), expected)) return `entry ${id} takes part with other choices than the rules give it`;
  }
  return null;
}

function positions({ length }: EntryList): number[] {
  return Array.from({ length }, (_, at) => at);
}

function classesGivenUp(earlier: readonly VerifiedRecord[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { entry, classId, move } of earlier.flatMap(({ events }) => events)) {
    if (GIVEN_UP.includes(move)) found.set(entry, (found.get(entry) ?? new Set()).add(classId));
  }
  return found;
}

/** Return the seats of a further round by class: free, nobody waits, and the class begins after the randomness exists. */
function seatsToDraw(manifest: Manifest, lists: WaitingLists): Map<string, number> {
  const taking = manifest.classes.filter(({ id, starts }) => lists.free(id) > 0 && lists.waitingCount(id) === 0 && starts > randomnessFrom(manifest));
  return new Map(taking.map(({ id }) => [id, lists.free(id)]));
}

/** Return the choices that an entry has in the round; empty if it takes no part. */
function choicesInRound({ classes, rules }: Manifest, { scope, free }: Further, asked: Choices, held: Names, givenUp: Names): Choices {
  if (held.size >= rules.maxWins || (scope === "everybody" && held.size > 0)) return [];
  const rule = new Map(classes.map((one) => [one.id, one]));
  const clashes = (name: string): boolean => [...held].some((other) => overlap(rule.get(name)!, rule.get(other)!));
  return asked.filter(([name]) => Object.hasOwn(free, name) && !held.has(name) && !givenUp.has(name) && !clashes(name));
}

function overlap(one: ClassRule, other: ClassRule): boolean {
  return one.starts < other.ends && other.starts < one.ends;
}

function sameChoices(one: Choices, other: Choices): boolean {
  return one.length === other.length && one.every(([name, seats], at) => name === other[at]![0] && seats === other[at]![1]);
}
