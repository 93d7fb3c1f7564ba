/** The verifier of the page /verify, asked from the tests: one JSON question on standard input, one JSON answer out. */

import { signed, QUICKNET } from "../../services/lottery/web/src/verify/chance.ts";
import { checks, type Check, type Opened } from "../../services/lottery/web/src/verify/checks.ts";
import type { Json } from "../../services/lottery/web/src/verify/canonical.ts";
import { follow } from "../../services/lottery/web/src/verify/path.ts";
import { entryOfReceipt } from "../../services/lottery/web/src/verify/receipts.ts";

interface Asked {
  readonly contents: readonly Json[];
  readonly rows: string | null;
  readonly published: string | null;
  readonly entry: string | null;
}

async function verified(content: Json, asked: Asked): Promise<unknown> {
  const found: Check[] = [];
  const going = checks(content, asked.rows, asked.published);
  let opened: Opened | null = null;
  for (let step = await going.next(); ; step = await going.next()) {
    if (step.done) {
      opened = step.value;
      break;
    }
    found.push(step.value);
  }
  const path = opened === null || asked.entry === null ? null : await follow(opened, asked.entry);
  return { checks: found.map(({ name, passed }) => [name, passed]), path };
}

const answers = {
  verify: async (asked: Asked) => await Promise.all(asked.contents.map(async (content) => await verified(content, asked))),
  receipts: async ({ receipts, ids }: { receipts: readonly string[]; ids: readonly string[] }) =>
    receipts.map((receipt) => entryOfReceipt(receipt, ids.map((id) => ({ id, choices: [] })))),
  beacon: async (cases: readonly (readonly [string, number])[]) => cases.map(([value, round]) => signed(value, QUICKNET.publicKey, round)),
};

declare const process: { argv: string[]; stdin: AsyncIterable<Uint8Array>; stdout: { write(text: string): void } };

const chunks: Uint8Array[] = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const question = await new Blob(chunks as BlobPart[]).text();
const answer = answers[process.argv[2] as keyof typeof answers] as (asked: unknown) => unknown;
process.stdout.write(JSON.stringify(await answer(JSON.parse(question))));
