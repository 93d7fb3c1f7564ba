/** The reception page's rules, asked from the tests: one JSON question on standard input, one JSON answer out. */

import { judge, type Place, type Scan, type Window } from "../../services/lottery/web/src/reception/attendance.ts";
import { passText, readPass } from "../../services/lottery/web/src/reception/passes.ts";
import { normaliseReceipt } from "#shared/receipts.ts";

interface Judging {
  readonly place: Place | null;
  readonly window: Window;
  readonly scans: readonly Scan[];
}

interface Reading {
  readonly key: string;
  readonly campaign: string;
  readonly typed: readonly string[];
}

const answers: Readonly<Record<string, (question: never) => unknown>> = {
  judge: (cases: readonly Judging[]) => cases.map((each) => [...judge(each.place, each.window, each.scans)]),
  receipts: (typed: readonly string[]) => typed.map(normaliseReceipt),
  passes: ({ key, campaign, typed }: Reading) =>
    typed.map((each) => {
      const text = passText(each);
      return text === null ? "no pass" : readPass(key, campaign, text);
    }),
};

declare const process: { argv: string[]; stdin: AsyncIterable<Uint8Array>; stdout: { write(text: string): void } };

const chunks: Uint8Array[] = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const question = JSON.parse(await new Blob(chunks as BlobPart[]).text()) as never;
process.stdout.write(JSON.stringify(answers[process.argv[2] ?? ""]?.(question)));
