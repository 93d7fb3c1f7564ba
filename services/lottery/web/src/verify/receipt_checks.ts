/** Checks of one receipt document, as `./kuji verify receipt.json` makes them (tests/cases/receipt_checks.json). */

import { ed25519 } from "@noble/curves/ed25519.js";
import { unb64url, utf8 } from "#shared/encoding.ts";
import { isReceiptOf, rollLine, type ReceiptDocument } from "#shared/receipt_documents.ts";
import { normaliseReceipt } from "#shared/receipts.ts";
import { canonical, type Json } from "./canonical.ts";
import type { Check } from "./checks.ts";
import { readManifest, type Manifest } from "./manifest.ts";
import { computeRoot } from "./merkle.ts";

/** What the lottery published before the draw: manifest with signature and key, and the roll as text. */
export interface PublishedList {
  readonly manifest: Json;
  readonly roll: string;
}

/** Public keys, base64url, that are not revoked: intake's and the lottery's, or null to accept the manifest's own. */
export interface PinnedKeys {
  readonly intake: readonly string[];
  readonly lottery: readonly string[] | null;
}

/** Yield the checks. `published`: null before the freeze; then the signature alone is checked. */
export function* receiptChecks(document: unknown, published: PublishedList | null, keys: PinnedKeys): Generator<Check> {
  yield { name: "signature of the receipt", passed: keys.intake.some((key) => isReceiptOf(key, document)) };
  if (published === null) return;
  yield { name: "signature of the manifest", passed: isSignedManifest(published.manifest, keys.lottery) };
  const manifest = read(published.manifest);
  if (manifest === null) yield { name: "roll", passed: false };
  else yield* rollChecks(manifest, published.roll);
  yield lineCheck(document, manifest, published.roll);
}

function* rollChecks({ receipts }: Manifest, roll: string): Generator<Check> {
  const { lines, formed } = scan(roll);
  yield { name: "form of the roll", passed: formed };
  yield { name: "number of receipts", passed: lines === receipts.count, found: { receipts: receipts.count } };
  yield { name: "root of the roll", passed: formed && computeRoot(roll) === receipts.root };
}

const LINE = /[0-9a-f]{64}\n/uy;
const LINE_LENGTH = 65;

/** Count the lines of a roll, and check that each has its form and that they rise. */
function scan(roll: string): { readonly lines: number; readonly formed: boolean } {
  let formed = roll.length % LINE_LENGTH === 0;
  for (let at = 0; formed && at < roll.length; at += LINE_LENGTH) {
    LINE.lastIndex = at;
    formed = LINE.test(roll) && (at === 0 || roll.slice(at - LINE_LENGTH, at) < roll.slice(at, at + LINE_LENGTH));
  }
  return { lines: formed ? roll.length / LINE_LENGTH : roll.split("\n").length - (roll.endsWith("\n") ? 1 : 0), formed };
}

function lineCheck(document: unknown, manifest: Manifest | null, roll: string): Check {
  if (!hasForm(document) || document.campaign !== manifest?.campaign) return { name: "receipt document", passed: false };
  const stands = `\n${roll}`.includes(`\n${rollLine(document)}\n`);
  return { name: "receipt in the roll", passed: stands, found: { receipt: document.receipt, version: document.version } };
}

function isSignedManifest(published: Json, lotteryKeys: readonly string[] | null): boolean {
  try {
    const { manifest, signature, signing_key: key } = published as Readonly<Record<string, string>>;
    const known = lotteryKeys === null || lotteryKeys.includes(key!);
    return known && ed25519.verify(unb64url(signature!), utf8(manifest!), unb64url(key!), { zip215: false });
  } catch {
    return false;
  }
}

function read(published: Json): Manifest | null {
  try {
    return readManifest((published as Readonly<Record<string, string>>)["manifest"]!);
  } catch {
    return null;
  }
}

const MEMBERS = "application_id campaign key receipt received_at sealed_sha256 signature v version";
const FORMS: Readonly<Record<string, RegExp>> = {
  application_id: /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u,
  campaign: /^[a-z0-9-]+$/u,
  key: /^[0-9a-f]{16}$/u,
  received_at: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)$/u,
  sealed_sha256: /^[0-9a-f]{64}$/u,
  signature: /^[A-Za-z0-9_-]{86}$/u,
};
const MOST_VERSIONS = 1000;

/** Return true if the value has the members of a receipt document, each in its form. */
function hasForm(value: unknown): value is ReceiptDocument {
  if (typeof value !== "object" || value === null || Object.keys(value).sort().join(" ") !== MEMBERS) return false;
  const document = value as ReceiptDocument & Readonly<Record<string, unknown>>;
  const texts = Object.entries(FORMS).every(([name, form]) => typeof document[name] === "string" && form.test(document[name]));
  const counted = Number.isSafeInteger(document.version) && document.version >= 1 && document.version <= MOST_VERSIONS;
  return texts && counted && document.v === 2 && typeof document.receipt === "string" && normaliseReceipt(document.receipt) === document.receipt;
}

/** Read a pasted or chosen receipt document; null if it is not JSON, or names a member twice (RFC 7493). */
export function readReceiptText(text: string): Json {
  try {
    const document = JSON.parse(text) as Json;
    const isFlat = typeof document === "object" && document !== null && !Array.isArray(document);
    return isFlat && text.replaceAll(/\s/gu, "").length === canonical(document).length ? document : null;
  } catch {
    return null;
  }
}
