/** The reception page's rules for tests: reads one JSON question from standard input, writes one JSON answer. */

import { normaliseReceipt } from "#shared/receipts.ts";
import { judge, type AdmissionWindow, type Place, type Scan } from "../../services/lottery/web/src/reception/attendance.ts";
import { passText, readPass } from "../../services/lottery/web/src/reception/passes.ts";

interface JudgeQuestion {
  readonly place: Place | null;
  readonly window: AdmissionWindow;
  readonly scans: readonly Scan[];
}

interface PassQuestion {
  readonly key: string;
  readonly campaign: string;
  readonly typed: readonly string[];
}

const answers: Readonly<Record<string, (question: never) => unknown>> = {
  judge: (cases: readonly JudgeQuestion[]) => cases.map(({ place, window, scans }) => [...judge(place, window, scans)]),
  receipts: (typed: readonly string[]) => typed.map(normaliseReceipt),
  passes: ({ key, campaign, typed }: PassQuestion) =>
    typed.map((typedText) => {
      const text = passText(typedText);
      return text === null ? "no pass" : readPass(key, campaign, text);
    }),
};

declare const process: { argv: string[]; stdin: AsyncIterable<Uint8Array>; stdout: { write(text: string): void } };

const chunks: Uint8Array[] = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const question = JSON.parse(await new Blob(chunks as BlobPart[]).text()) as never;
process.stdout.write(JSON.stringify(answers[process.argv[2] ?? ""]?.(question)));
