/** The reception page's rules for tests: reads one JSON question from standard input, writes one JSON answer. */

import { normaliseReceipt } from "#shared/receipts.ts";
import { judge, type AdmissionWindow, type Place, type Scan } from "../../services/lottery/web/src/reception/attendance.ts";
import { passText, readPass } from "../../services/lottery/web/src/reception/passes.ts";
import { readRoster, type RosterDocument } from "../../services/lottery/web/src/reception/roster.ts";
import { serve } from "./serve.ts";

interface JudgeQuestion {
  readonly place: Place | null;
  readonly window: AdmissionWindow;
  readonly scans: readonly Scan[];
}

interface PassQuestion {
  readonly keys: readonly string[];
  readonly campaign: string;
  readonly typed: readonly string[];
}

const answers: Readonly<Record<string, (question: never) => unknown>> = {
  judge: (cases: readonly JudgeQuestion[]) => cases.map(({ place, window, scans }) => [...judge(place, window, scans)]),
  receipts: (typed: readonly string[]) => typed.map(normaliseReceipt),
  passes: ({ keys, campaign, typed }: PassQuestion) =>
    typed.map((typedText) => {
      const text = passText(typedText);
      return text === null ? "no pass" : readPass(keys, campaign, text);
    }),
  rosterKeys: (rosters: readonly RosterDocument[]) => rosters.map((roster) => readRoster(roster, "ja").publicKeys),
};

await serve(answers as Parameters<typeof serve>[0]);
