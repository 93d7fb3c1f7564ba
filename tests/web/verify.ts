/** The verifier of the page /verify for tests: reads one JSON question from standard input, writes one JSON answer. */

import { allocate } from "../../services/lottery/web/src/verify/allocation.ts";
import { QUICKNET } from "../../services/lottery/web/src/verify/quicknet.ts";
import { diceAreValid } from "../../services/lottery/web/src/verify/dice_acts.ts";
import { drawKey, verifyBeacon } from "../../services/lottery/web/src/verify/randomness.ts";
import { checks, type Check, type PublishedKeys, type VerifiedRecord } from "../../services/lottery/web/src/verify/checks.ts";
import { checkContinued } from "../../services/lottery/web/src/verify/further_round.ts";
import type { Json } from "../../services/lottery/web/src/verify/canonical.ts";
import { heldClasses, readPlaces } from "../../services/lottery/web/src/verify/taken_over.ts";
import { drawnClasses, readManifest } from "../../services/lottery/web/src/verify/manifest.ts";
import { readPlaceEvents } from "../../services/lottery/web/src/verify/place_events.ts";
import { readReceiptText, receiptChecks, type PinnedKeys, type PublishedList } from "../../services/lottery/web/src/verify/receipt_checks.ts";
import { replay, type DrawInputs } from "../../services/lottery/web/src/verify/replay.ts";
import { EntryList } from "../../services/lottery/web/src/verify/entry_list.ts";
import { hex, unhex } from "../../services/lottery/web/src/verify/hex.ts";
import { readRows, type RowsSource } from "../../services/lottery/web/src/verify/rows.ts";
import { tickets } from "../../services/lottery/web/src/verify/tickets.ts";
import { entriesWithPrefix, tracePath } from "../../services/lottery/web/src/verify/path.ts";
import { serve } from "./serve.ts";

/** Case of tests/cases/receipt_checks.json. */
interface ReceiptCase {
  readonly document: Json;
  readonly published: PublishedList | null;
  readonly keys: PinnedKeys;
}

interface VerifyQuestion {
  readonly contents: readonly Json[];
  readonly rows: string | null;
  readonly published: PublishedKeys | null;
  readonly entry: string | null;
}

async function openRecord(content: Json, question: VerifyQuestion): Promise<{ found: Check[]; opened: VerifiedRecord | null }> {
  const found: Check[] = [];
  const results = checks(content, question.rows, question.published);
  for (let result = await results.next(); ; result = await results.next()) {
    if (result.done) return { found, opened: result.value };
    found.push(result.value);
  }
}

/** Verify a further round: the last of the question's records, after the draws that it continues. */
async function verifyChain(question: VerifyQuestion): Promise<unknown> {
  const records = await Promise.all(question.contents.map(async (content) => await openRecord(content, question)));
  const [last, ...before] = records.reverse().map(({ found, opened }) => ({ found, opened }));
  const earlier = before.reverse();
  const opened = earlier.flatMap((one) => (one.opened === null ? [] : [one.opened]));
  const continued = last?.opened === null || last === undefined ? null : await checkContinued(last.opened, opened);
  const path = last?.opened && question.entry !== null ? await tracePath(last.opened, question.entry, opened) : null;
  const each = earlier.map(({ found }) => found.every(({ passed }) => passed));
  return { checks: last?.found.map(({ name, passed }) => [name, passed]), each, continued: continued?.passed ?? false, path };
}

async function verifyRecord(content: Json, question: VerifyQuestion): Promise<unknown> {
  const { found, opened } = await openRecord(content, question);
  const path = opened === null || question.entry === null ? null : await tracePath(opened, question.entry);
  return { checks: found.map(({ name, passed }) => [name, passed]), path };
}

/** A draw of docs/spec/vectors: `line` is its manifest, `rows` their text, `histories` are replayed one by one. */
interface DrawQuestion {
  readonly line: string;
  readonly rows: string;
  readonly dice: string | null;
  readonly signature: string;
  /** Text of the places that a further round took over. */
  readonly places: string | null;
  readonly histories: readonly (readonly Readonly<Record<string, unknown>>[])[];
}

async function computeDraw(question: DrawQuestion): Promise<unknown> {
  const manifest = readManifest(question.line);
  const { entries, root } = await readRows(question.rows);
  const key = drawKey(question.line, question.dice, question.signature);
  const places = question.places === null ? [] : readPlaces(question.places);
  const result = await allocate(key, entries, drawnClasses(manifest), manifest.rules, -1, undefined, heldClasses(places));
  const drawn = await tickets(key, entries.ids);
  const order = [...result.order].map((at) => `${hex(drawn.subarray(16 * at, 16 * at + 16))} ${entries.id(at)}`);
  const [winners, waiting] = [idsOf(result.winners, entries), idsOf(result.waiting, entries)];
  const after = await Promise.all(question.histories.map((history) => placesAfter({ manifest, entries, key }, winners, waiting, history)));
  return { key: hex(key), root, order, winners, waiting, places: after };
}

/** Return the places after a history; null if it breaks a rule. */
async function placesAfter(drawn: DrawInputs, winners: Places, waiting: Places, history: DrawQuestion["histories"][number]): Promise<unknown> {
  try {
    const events = readPlaceEvents(history);
    const lists = await replay(winners, waiting, drawn, events);
    const ids = new Set([...drawn.entries.lists.keys()].map((at) => drawn.entries.id(at)).concat(events.map(({ entry }) => entry)));
    return [...ids].flatMap((id) => [...lists.of(id)].map(([classId, { state, position }]) => [classId, id, state, position]));
  } catch {
    return null;
  }
}

/** Return entries and root of these rows, or the message of the refusal. */
async function rowsOf(source: RowsSource): Promise<unknown> {
  try {
    const { entries, root } = await readRows(source);
    return { root, entries: [...entries.lists.keys()].map((at) => [entries.id(at), entries.choices(at)]) };
  } catch (error) {
    return (error as Error).message;
  }
}

async function* inPieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

function idsOf(places: Readonly<Record<string, readonly number[]>>, entries: EntryList): Places {
  return Object.fromEntries(Object.entries(places).map(([name, positions]) => [name, positions.map((at) => entries.id(at))]));
}

/** Return a list of these ids, which ask for nothing. */
function listOf(ids: readonly string[]): EntryList {
  return new EntryList(unhex([...ids].sort().join("")), new Uint32Array(ids.length), [[]]);
}

interface DiceQuestion {
  readonly line: string;
  readonly vault: string;
  readonly cases: readonly { readonly acts: unknown; readonly dice: unknown }[];
}

type Places = Readonly<Record<string, readonly string[]>>;

const answers = {
  draws: async (questions: readonly DrawQuestion[]) => await Promise.all(questions.map(computeDraw)),
  verify: async (question: VerifyQuestion) => await Promise.all(question.contents.map(async (content) => await verifyRecord(content, question))),
  receipts: async (cases: readonly ReceiptCase[]) =>
    cases.map(({ document, published, keys }) => [...receiptChecks(document, published, keys)].map(({ name, passed }) => [name, passed])),
  receiptTexts: async (texts: readonly string[]) => texts.map(readReceiptText),
  rows: async (cases: readonly { readonly text: string; readonly size: number }[]) =>
    await Promise.all(cases.map(async ({ text, size }) => [await rowsOf(text), await rowsOf(inPieces(text, size))])),
  chains: async (questions: readonly VerifyQuestion[]) => await Promise.all(questions.map(verifyChain)),
  dice: async ({ line, vault, cases }: DiceQuestion) => cases.map(({ acts, dice }) => diceAreValid(readManifest(line), acts, dice, vault)),
  prefix: async ({ ids, prefix }: { ids: readonly string[]; prefix: string }) =>
    entriesWithPrefix([{ entries: listOf(ids), events: [] } as unknown as VerifiedRecord], prefix),
  beacon: async (cases: readonly (readonly [string, number])[]) => cases.map(([value, round]) => verifyBeacon(value, QUICKNET.publicKey, round)),
};

await serve(answers as Parameters<typeof serve>[0]);
