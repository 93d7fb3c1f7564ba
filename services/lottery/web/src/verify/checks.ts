/** All checks of a transcript, from the file alone: signatures, hashes, allocation, history. */

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { unb64url, utf8 } from "#shared/encoding.ts";
import { allocate, type OnProgress, type Positions, type Result } from "./allocation.ts";
import { canonical, InvalidRecordError, type Json } from "./canonical.ts";
import { diceAreValid } from "./dice_acts.ts";
import { beaconIsValid, beaconWasUnknown, drawKey } from "./randomness.ts";
import { instant } from "./instants.ts";
import { takenOverChecks } from "./further_round.ts";
import { drawnClasses, readManifest, type Manifest } from "./manifest.ts";
import { replay, type DrawInputs } from "./replay.ts";
import type { EntryList } from "./entry_list.ts";
import { hex } from "./hex.ts";
import { readRows, type RowsSource } from "./rows.ts";
import { InvalidMoveError, type WaitingLists } from "./waiting_list.ts";
import { heldClasses, readPlaces, type TakenPlace } from "./taken_over.ts";
import { readPlaceEvents, type PlaceEvent } from "./place_events.ts";

export interface Check {
  readonly name: string;
  readonly passed: boolean;
  /** Figures of the check; the page puts them into words. */
  readonly found?: Readonly<Record<string, string | number>>;
}

/** A record that could be read. `lists`: places after the history; null if the history breaks a rule. */
export interface VerifiedRecord extends DrawInputs {
  readonly places: readonly TakenPlace[];
  /** SHA-256 (hex) of the last event of the history. */
  readonly lastEvent: string;
  readonly events: readonly PlaceEvent[];
  readonly lists: WaitingLists | null;
}

/** Keys as they were published. `lottery`: all that are not revoked; `vault`: null where the installation does not know it. */
export interface PublishedKeys {
  readonly lottery: readonly string[];
  readonly vault: string | null;
}

export const ROWS_FILE = "rows.txt";
const MEMBERS =
  "beacon_signature dice dice_acts dice_evidence history key manifest rows signature signature_of_result signing_key v waiting winners";
const FIRST = "0".repeat(64);

type Content = Readonly<Record<string, any>>;

/**
 * Yield each check and return the record; null if it cannot be read. Never throws.
 * `rows`: the separate rows file, which is read as it arrives; `published`: the published keys of lottery and vault;
 * `onProgress`: called with the share of the allocation that is done, the longest part.
 */
export async function* checks(
  content: Json,
  rows: RowsSource | null,
  published: PublishedKeys | null,
  onProgress?: OnProgress,
): AsyncGenerator<Check, VerifiedRecord | null> {
  try {
    if (typeof content !== "object" || content === null) throw new InvalidRecordError("this is not the record of a draw");
    return yield* all(content as Content, rows, published, onProgress);
  } catch (error) {
    yield { name: "form", passed: false, found: { text: error instanceof InvalidRecordError ? error.message : String(error) } };
    return null;
  }
}

async function* all(content: Content, rows: RowsSource | null, published: PublishedKeys | null, onProgress?: OnProgress): AsyncGenerator<Check, VerifiedRecord> {
  if (content.v !== 2) throw new InvalidRecordError("a version this program does not know");
  const members = "places" in content ? [...MEMBERS.split(" "), "places"].sort().join(" ") : MEMBERS;
  if (Object.keys(content).sort().join(" ") !== members) throw new InvalidRecordError("a transcript has all its members and no others");
  const known = published === null || published.lottery.includes(content.signing_key);
  const unvouched = published?.lottery.length === 0; // no key, or all are revoked: the signatures are still compared
  const key = known || unvouched ? content.signing_key : published!.lottery[0];
  if (published !== null) yield { name: "signing key", passed: known, ...(unvouched ? { found: { keyless: 1 } } : {}) };
  const { signature_of_result: signature, ...unsigned } = content;
  yield { name: "signature of the manifest", passed: isSigned(key, utf8(content.manifest), content.signature) };
  yield { name: "signature of the result", passed: isSigned(key, utf8(canonical(unsigned as Json)), signature) };
  const manifest = readManifest(content.manifest);
  if ((manifest.further !== null) !== "places" in content) throw new InvalidRecordError("only a further round takes places over");
  const source: unknown = content.rows === ROWS_FILE ? rows : content.rows;
  if (source === null || (typeof source !== "string" && source !== rows)) throw new InvalidRecordError("rows: they are in a separate file");
  const { entries, root } = await readRows(source as RowsSource);
  yield* listChecks(manifest, entries, root);
  const places = manifest.further === null ? [] : readPlaces(content.places);
  if (manifest.further !== null) yield* takenOverChecks(manifest, manifest.further, content.places, places, entries);
  if (manifest.dice !== null && published?.vault != null) yield { name: "vault key", passed: manifest.vaultKey === published.vault };
  yield { name: "dice", passed: diceAreValid(manifest, content.dice_acts, content.dice, published?.vault ?? manifest.vaultKey), ...unused(manifest.dice) };
  yield { name: "beacon's time", passed: beaconWasUnknown(manifest) };
  yield { name: "beacon", passed: beaconIsValid(manifest, content.beacon_signature) };
  const drawn = drawKey(manifest.line, content.dice, content.beacon_signature);
  yield { name: "key", passed: hex(drawn) === content.key };
  yield* resultChecks(content, entries, await allocate(drawn, entries, drawnClasses(manifest), manifest.rules, -1, onProgress, heldClasses(places)));
  yield { name: "history", passed: historyHolds(content.history, manifest), found: { events: content.history.length } };
  return yield* placesCheck(content, { manifest, entries, key: drawn, places });
}

async function* placesCheck(content: Content, drawn: DrawInputs & Pick<VerifiedRecord, "places">): AsyncGenerator<Check, VerifiedRecord> {
  const name = "places after the draw";
  const events = readPlaceEvents(content.history);
  const lastEvent = hex(sha256(utf8(canonical(content.history.at(-1) as Json))));
  try {
    const lists = await replay(content.winners, content.waiting, drawn, events);
    yield { name, passed: true, found: { steps: events.length } };
    return { ...drawn, events, lists, lastEvent };
  } catch (error) {
    if (!(error instanceof InvalidMoveError)) throw error;
    yield { name, passed: false, found: { text: error.message } };
    return { ...drawn, events, lists: null, lastEvent };
  }
}

function* listChecks(manifest: Manifest, entries: EntryList, root: string): Generator<Check> {
  yield { name: "number of rows", passed: entries.length === manifest.rows, found: { rows: entries.length } };
  yield { name: "root of the rows", passed: root === manifest.root };
  const channels = Object.values(manifest.byChannel).reduce((sum, count) => sum + count, 0);
  yield { name: "counts", passed: same(Object.fromEntries(entries.countByClass()), manifest.byClass) && channels === entries.length };
  yield { name: "receipts", passed: entries.length <= manifest.receipts.count, found: { receipts: manifest.receipts.count } };
}

function* resultChecks(content: Content, entries: EntryList, computed: Result): Generator<Check> {
  for (const name of ["winners", "waiting"] as const) {
    const places = Object.values(computed[name]).reduce((sum, positions) => sum + positions.length, 0);
    yield { name, passed: isOf(content[name], computed[name], entries), found: { places } };
  }
}

/** Return true if the record names exactly these entries by class, in this order. */
function isOf(recorded: unknown, computed: Readonly<Record<string, Positions>>, entries: EntryList): boolean {
  if (typeof recorded !== "object" || recorded === null || Array.isArray(recorded)) return false;
  const [names, lists] = [Object.keys(computed), recorded as Readonly<Record<string, unknown>>];
  if (Object.keys(lists).length !== names.length) return false;
  return names.every((name) => {
    const [ids, positions] = [lists[name], computed[name]!];
    return Array.isArray(ids) && ids.length === positions.length && positions.every((at, place) => ids[place] === entries.id(at));
  });
}

/** Return true if the history is a hash chain: this manifest's freeze, the draw, then events of places only. */
function historyHolds(history: readonly Content[], manifest: Manifest): boolean {
  let before = FIRST;
  for (const event of history) {
    if (event.prev !== before) return false;
    before = hex(sha256(utf8(canonical(event as Json))));
  }
  const [frozen, drawn] = history;
  const events = readPlaceEvents(history);
  if (frozen?.event !== "frozen" || drawn?.event !== "drawn" || events.length !== history.length - 2) return false;
  const at = instant(drawn.at);
  const second = at - (at % 1_000_000); // events are written to the second
  return frozen.at === manifest.frozenAt && at >= manifest.objectionsUntil && events.every((event) => event.at >= second);
}

/** Mark the check of a source that the draw does not use: the check is that there is no value. */
function unused(source: unknown): Pick<Check, "found"> {
  return source === null ? { found: { unused: 1 } } : {};
}

function same(one: unknown, other: unknown): boolean {
  return canonical(one as Json) === canonical(other as Json);
}

function isSigned(key: string, message: Uint8Array, signature: string): boolean {
  try {
    return ed25519.verify(unb64url(signature), message, unb64url(key), { zip215: false });
  } catch {
    return false; // not a signature or not a key
  }
}
