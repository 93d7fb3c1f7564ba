/** The form's own modules, asked from the tests: one JSON question on standard input, one JSON answer out. */

import { joinAddress } from "../../services/intake/web/src/address.ts";
import { needsGuardian, plaintext, problems, type Choice, type Draft } from "../../services/intake/web/src/application.ts";
import { findConflicts } from "../../services/intake/web/src/choice_conflicts.ts";
import type { Rules } from "../../services/intake/web/src/campaign.ts";
import { checkKey, KeyRefusedError } from "../../services/intake/web/src/key_document.ts";
import { suggestDomain } from "../../services/intake/web/src/mail_domains.ts";
import * as normalise from "../../services/intake/web/src/normalise.ts";
import { seal } from "../../services/intake/web/src/seal.ts";
import { solve } from "../../services/intake/web/src/proof_of_work.ts";
import { serve } from "./serve.ts";

interface Judging {
  readonly rules: Rules;
  readonly cases: readonly { readonly draft: Draft; readonly municipalities: readonly string[] }[];
}

interface Sealing {
  readonly document: unknown;
  readonly campaign: string;
  readonly pinned: string;
  readonly now: string;
  readonly application_id: string;
  readonly version: number;
  readonly content: unknown;
}

interface Working {
  readonly campaign: string;
  readonly application_id: string;
  readonly sealed: string;
  readonly bits: number;
}

const CODE = "Z2CXEZZ657RYX4D8";

const answers = {
  judge: ({ rules, cases }: Judging) =>
    cases.map(({ draft, municipalities }) => ({
      problems: problems(draft, rules, municipalities).map(({ field, code }) => `${field}.${code}`),
      guardian: needsGuardian(draft),
      plaintext: plaintext(draft, rules, CODE),
    })),
  conflicts: ({ rules, choices }: { rules: Rules; choices: readonly Choice[] }) => {
    const { overlapping, tooMany } = findConflicts(choices, rules);
    return { overlapping: overlapping.map((pair) => pair.map(({ id }) => id)), tooMany };
  },
  normalise: (cases: readonly (readonly [keyof typeof normalise, string])[]) =>
    cases.map(([rule, given]) => normalise[rule](given)),
  join: (cases: readonly (readonly [string, string])[]) => cases.map(([town, street]) => joinAddress(town, street)),
  suggest: (domains: readonly string[]) => domains.map(suggestDomain),
  seal: async (asked: Sealing) => {
    try {
      const key = checkKey(asked.document, asked.campaign, asked.pinned, new Date(asked.now));
      return { key_id: key.keyId, sealed: await seal(asked.content, asked, key) };
    } catch (error) {
      if (error instanceof KeyRefusedError) return { refused: error.refusal };
      throw error;
    }
  },
  work: async (cases: readonly Working[]) =>
    Promise.all(cases.map(({ campaign, bits, ...sent }) => solve(campaign, sent, bits))),
};

await serve(answers as Parameters<typeof serve>[0]);
