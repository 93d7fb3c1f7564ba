/** The verifier of the page /verify for tests: reads one JSON question from standard input, writes one JSON answer. */

import { allocate } from "../../services/lottery/web/src/verify/allocation.ts";
import { QUICKNET } from "../../services/lottery/web/src/verify/quicknet.ts";
import { drawKey, verifyBeacon } from "../../services/lottery/web/src/verify/randomness.ts";
import { checks, type Check, type VerifiedRecord } from "../../services/lottery/web/src/verify/checks.ts";
import type { Json } from "../../services/lottery/web/src/verify/canonical.ts";
import { readManifest } from "../../services/lottery/web/src/verify/manifest.ts";
import { readPlaceEvents } from "../../services/lottery/web/src/verify/place_events.ts";
import { readReceiptText, receiptChecks, type PinnedKeys, type PublishedList } from "../../services/lottery/web/src/verify/receipt_checks.ts";
import { replay, type DrawInputs } from "../../services/lottery/web/src/verify/replay.ts";
import { computeRoot, hex, readRows } from "../../services/lottery/web/src/verify/rows.ts";
import { tickets } from "../../services/lottery/web/src/verify/tickets.ts";
import { entriesWithPrefix, tracePath } from "../../services/lottery/web/src/verify/path.ts";

/** Case of tests/cases/receipt_checks.json. */
interface ReceiptCase {
  readonly document: Json;
  readonly published: PublishedList | null;
  readonly keys: PinnedKeys;
}

interface VerifyQuestion {
  readonly contents: readonly Json[];
  readonly rows: string | null;
  readonly published: string | null;
  readonly entry: string | null;
}

async function verifyRecord(content: Json, question: VerifyQuestion): Promise<unknown> {
  const found: Check[] = [];
  const results = checks(content, question.rows, question.published);
  let opened: VerifiedRecord | null = null;
  for (let result = await results.next(); ; result = await results.next()) {
    if (result.done) {
      opened = result.value;
      break;
    }
    found.push(result.value);
  }
  const path = opened === null || question.entry === null ? null : await tracePath(opened, question.entry);
  return { checks: found.map(({ name, passed }) => [name, passed]), path };
}

/** A draw of docs/spec/vectors: `line` is its manifest, `rows` their text, `histories` are replayed one by one. */
interface DrawQuestion {
  readonly line: string;
  readonly rows: string;
  readonly dice: string | null;
  readonly signature: string;
  readonly histories: readonly (readonly Readonly<Record<string, unknown>>[])[];
}

async function computeDraw(question: DrawQuestion): Promise<unknown> {
  const [manifest, entries] = [readManifest(question.line), readRows(question.rows)];
  const key = drawKey(question.line, question.dice, question.signature);
  const { order, winners, waiting } = await allocate(key, entries, manifest.classes, manifest.rules);
  const drawn = new Map((await tickets(key, entries)).map((ticket, at) => [entries[at]!.id, ticket]));
  const places = await Promise.all(question.histories.map((history) => placesAfter({ manifest, entries, key }, winners, waiting, history)));
  return { key: hex(key), root: computeRoot(question.rows), order: order.map((id) => `${drawn.get(id)} ${id}`), winners, waiting, places };
}

/** Return the places after a history; null if it breaks a rule. */
async function placesAfter(drawn: DrawInputs, winners: Places, waiting: Places, history: DrawQuestion["histories"][number]): Promise<unknown> {
  try {
    const events = readPlaceEvents(history);
    const lists = await replay(winners, waiting, drawn, events);
    const ids = new Set([...drawn.entries.map(({ id }) => id), ...events.map(({ entry }) => entry)]);
    return [...ids].flatMap((id) => [...lists.of(id)].map(([classId, { state, position }]) => [classId, id, state, position]));
  } catch {
    return null;
  }
}

type Places = Readonly<Record<string, readonly string[]>>;

const answers = {
  draws: async (questions: readonly DrawQuestion[]) => await Promise.all(questions.map(computeDraw)),
  verify: async (question: VerifyQuestion) => await Promise.all(question.contents.map(async (content) => await verifyRecord(content, question))),
  receipts: async (cases: readonly ReceiptCase[]) =>
    cases.map(({ document, published, keys }) => [...receiptChecks(document, published, keys)].map(({ name, passed }) => [name, passed])),
  receiptTexts: async (texts: readonly string[]) => texts.map(readReceiptText),
  prefix: async ({ ids, prefix }: { ids: readonly string[]; prefix: string }) =>
    entriesWithPrefix({ entries: ids.map((id) => ({ id, choices: [] })), events: [] } as unknown as VerifiedRecord, prefix),
  beacon: async (cases: readonly (readonly [string, number])[]) => cases.map(([value, round]) => verifyBeacon(value, QUICKNET.publicKey, round)),
};

declare const process: { argv: string[]; stdin: AsyncIterable<Uint8Array>; stdout: { write(text: string): void } };

const chunks: Uint8Array[] = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const question = await new Blob(chunks as BlobPart[]).text();
const answer = answers[process.argv[2] as keyof typeof answers] as (asked: unknown) => unknown;
process.stdout.write(JSON.stringify(await answer(JSON.parse(question))));
