/** The verifier of the page /verify for tests: reads one JSON question from standard input, writes one JSON answer. */

import { verifyBeacon, QUICKNET } from "../../services/lottery/web/src/verify/randomness.ts";
import { checks, type Check, type VerifiedRecord } from "../../services/lottery/web/src/verify/checks.ts";
import type { Json } from "../../services/lottery/web/src/verify/canonical.ts";
import { tracePath } from "../../services/lottery/web/src/verify/path.ts";

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

const answers = {
  verify: async (question: VerifyQuestion) => await Promise.all(question.contents.map(async (content) => await verifyRecord(content, question))),
  beacon: async (cases: readonly (readonly [string, number])[]) => cases.map(([value, round]) => verifyBeacon(value, QUICKNET.publicKey, round)),
};

declare const process: { argv: string[]; stdin: AsyncIterable<Uint8Array>; stdout: { write(text: string): void } };

const chunks: Uint8Array[] = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const question = await new Blob(chunks as BlobPart[]).text();
const answer = answers[process.argv[2] as keyof typeof answers] as (asked: unknown) => unknown;
process.stdout.write(JSON.stringify(await answer(JSON.parse(question))));
