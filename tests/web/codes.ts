/** Codes, entry ids, proofs and receipt documents for tests: one JSON question on standard input, one JSON answer out. */

import jsQR from "jsqr";
import * as codes from "#shared/codes.ts";
import { utf8 } from "#shared/encoding.ts";
import { makeQrCode, type QrCode } from "#shared/qr_code.ts";
import { checkReceipt, isReceiptOf, rollLine, type ReceiptDocument, type SentVersion } from "#shared/receipt_documents.ts";
import { serve } from "./serve.ts";

interface Vector {
  readonly campaign: string;
  readonly application_id: string;
  readonly code: string;
}

interface DocumentCase {
  readonly public_key: string;
  readonly document: ReceiptDocument;
  readonly sent: SentVersion | null;
}

function derive({ campaign, application_id, code }: Vector): Readonly<Record<string, string | null>> {
  const entry = codes.entryId(campaign, application_id, code);
  const [intake, lottery] = [codes.intakeProof(campaign, application_id, code), codes.lotteryProof(campaign, entry, code)];
  return {
    campaign, application_id, code, entry,
    entry_number: codes.entryNumber(entry),
    proof_intake: intake,
    proof_lottery: lottery,
    proof_intake_sha256: codes.proofDigest(intake),
    proof_lottery_sha256: codes.proofDigest(lottery),
  };
}

/** Read a code with jsQR, as a camera would see it: 3 dots a module, 4 light modules around. */
function readQrCode({ modules }: QrCode): { version: number; text: string } | null {
  const side = 3 * (modules.length + 8);
  const dots = Uint8ClampedArray.from({ length: 4 * side * side }, (_, at) => {
    const [row, column] = [Math.floor(at / 4 / side / 3) - 4, Math.floor(((at / 4) % side) / 3) - 4];
    return at % 4 !== 3 && modules[row]?.[column] === true ? 0 : 255;
  });
  const read = jsQR(dots, side, side);
  return read === null ? null : { version: read.version, text: read.data };
}

const answers: Readonly<Record<string, (question: never) => unknown>> = {
  derive: (vectors: readonly Vector[]) => vectors.map(derive),
  parse: (typed: readonly string[]) => typed.map(codes.parseCode),
  format: (given: readonly string[]) => given.map(codes.formatCode),
  numbers: (typed: readonly string[]) => typed.map(codes.normaliseEntryNumber),
  prefixes: (numbers: readonly string[]) => numbers.map(codes.entryPrefix),
  documents: (cases: readonly DocumentCase[]) =>
    cases.map(({ public_key, document, sent }) => ({
      signed: isReceiptOf(public_key, document),
      line: rollLine(document),
      confirmed: sent !== null && checkReceipt(document, sent, ["", public_key]) !== null,
    })),
  qr: (cases: readonly (readonly [string, number | null])[]) => cases.map(([text, mask]) => readQrCode(makeQrCode(utf8(text), mask ?? undefined))),
  new: ({ campaign, application_id, count }: { campaign: string; application_id: string; count: number }) =>
    Array.from({ length: count }, () => codes.newCode(campaign, application_id)),
};

await serve(answers as Parameters<typeof serve>[0]);
