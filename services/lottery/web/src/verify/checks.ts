/** Every check of a transcript, one after the other, with nothing but the file: signatures, hashes and places anew. */

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { unb64url, utf8 } from "#shared/encoding.ts";
import { allocate, type Result, type Tell } from "./allocation.ts";
import { canonical, Refused, type Json } from "./canonical.ts";
import { beaconHolds, beaconWasUnknown, diceHold, drawKey } from "./chance.ts";
import { instant } from "./instants.ts";
import { readManifest, type Manifest } from "./manifest.ts";
import { replayed, type Drawn } from "./replay.ts";
import { hex, readRows, rootOf, type Entry } from "./rows.ts";
import { BadMove, type Standing } from "./waiting_list.ts";
import { stepsOf, type Step } from "./steps.ts";

export interface Check {
  readonly name: string;
  readonly passed: boolean;
  /** What was found, as numbers; the words are the page's. */
  readonly found?: Readonly<Record<string, string | number>>;
}

/** A record that could be read; `standing`: null where its history is wrong. */
export interface Opened extends Drawn {
  readonly steps: readonly Step[];
  readonly standing: Standing | null;
}

export const ROWS_FILE = "rows.txt";
const MEMBERS =
  "beacon_signature dice dice_evidence history key manifest rows signature signature_of_result signing_key v waiting winners witnesses";
const FIRST = "0".repeat(64);

type Content = Readonly<Record<string, any>>;

/**
 * `rows`: where they are a file of their own; `published`: the key to compare with; `tell`: how much of the allocation,
 * which takes longest, is done. Never throws.
 */
export async function* checks(
  content: Json,
  rows: string | null,
  published: string | null,
  tell?: Tell,
): AsyncGenerator<Check, Opened | null> {
  try {
    if (typeof content !== "object" || content === null) throw new Refused("this is not the record of a draw");
    return yield* all(content as Content, rows, published, tell);
  } catch (error) {
    yield { name: "form", passed: false, found: { text: error instanceof Refused ? error.message : String(error) } };
    return null;
  }
}

async function* all(content: Content, rows: string | null, published: string | null, tell?: Tell): AsyncGenerator<Check, Opened> {
  if (content.v !== 1) throw new Refused("a version this program does not know");
  if (Object.keys(content).sort().join(" ") !== MEMBERS) throw new Refused("a transcript has all its members, and no others");
  const key = published ?? content.signing_key;
  if (published !== null) yield { name: "signing key", passed: content.signing_key === published };
  const { signature_of_result: signature, ...unsigned } = content;
  yield { name: "signature of the manifest", passed: verified(key, utf8(content.manifest), content.signature) };
  yield { name: "signature of the result", passed: verified(key, utf8(canonical(unsigned as Json)), signature) };
  const manifest = readManifest(content.manifest);
  const text: unknown = content.rows === ROWS_FILE ? rows : content.rows;
  if (typeof text !== "string") throw new Refused("rows: they are in a file of their own");
  const entries = readRows(text);
  yield* listChecks(manifest, entries, text);
  yield { name: "dice", passed: diceHold(manifest, content.dice, content.witnesses), ...unused(manifest.dice) };
  if (manifest.beacon !== null) yield { name: "beacon's time", passed: beaconWasUnknown(manifest) };
  yield { name: "beacon", passed: beaconHolds(manifest, content.beacon_signature), ...unused(manifest.beacon) };
  const drawn = drawKey(manifest.line, content.dice, content.beacon_signature);
  yield { name: "key", passed: hex(drawn) === content.key };
  yield* resultChecks(content, await allocate(drawn, entries, manifest.classes, manifest.rules, null, tell));
  yield { name: "history", passed: historyHolds(content.history, manifest), found: { events: content.history.length } };
  return yield* placesCheck(content, { manifest, entries, key: drawn });
}

async function* placesCheck(content: Content, drawn: Drawn): AsyncGenerator<Check, Opened> {
  const name = "places after the draw";
  const steps = stepsOf(content.history);
  try {
    const standing = await replayed(content.winners, content.waiting, drawn, steps);
    yield { name, passed: true, found: { steps: steps.length } };
    return { ...drawn, steps, standing };
  } catch (error) {
    if (!(error instanceof BadMove)) throw error;
    yield { name, passed: false, found: { text: error.message } };
    return { ...drawn, steps, standing: null };
  }
}

function* listChecks(manifest: Manifest, entries: readonly Entry[], text: string): Generator<Check> {
  yield { name: "number of rows", passed: entries.length === manifest.rows, found: { rows: entries.length } };
  yield { name: "root of the rows", passed: rootOf(text) === manifest.root };
  const counted = new Map<string, number>();
  for (const { choices } of entries) for (const [name] of choices) counted.set(name, (counted.get(name) ?? 0) + 1);
  const channels = Object.values(manifest.byChannel).reduce((sum, count) => sum + count, 0);
  yield { name: "counts", passed: same(Object.fromEntries(counted), manifest.byClass) && channels === entries.length };
}

function* resultChecks(content: Content, computed: Result): Generator<Check> {
  for (const name of ["winners", "waiting"] as const) {
    const places = Object.values(computed[name]).reduce((sum, ids) => sum + ids.length, 0);
    yield { name, passed: same(content[name], computed[name]), found: { places } };
  }
}

function historyHolds(history: readonly Content[], manifest: Manifest): boolean {
  let before = FIRST;
  for (const event of history) {
    if (event.prev !== before) return false;
    before = hex(sha256(utf8(canonical(event as Json))));
  }
  const [frozen, drawn] = history;
  const steps = stepsOf(history);
  if (frozen?.event !== "frozen" || drawn?.event !== "drawn" || steps.length !== history.length - 2) return false;
  const at = instant(drawn.at);
  const second = at - (at % 1_000_000); // steps are written to the second
  return frozen.at === manifest.frozenAt && at >= manifest.objectionsUntil && steps.every((step) => step.at >= second);
}

/** A source that this draw does not use: what is checked is that there is none. */
function unused(source: unknown): Pick<Check, "found"> {
  return source === null ? { found: { unused: 1 } } : {};
}

function same(one: unknown, other: unknown): boolean {
  return canonical(one as Json) === canonical(other as Json);
}

function verified(key: string, message: Uint8Array, signature: string): boolean {
  try {
    return ed25519.verify(unb64url(signature), message, unb64url(key), { zip215: false });
  } catch {
    return false; // no signature, or no key
  }
}
