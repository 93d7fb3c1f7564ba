/**
 * Getting one application to intake exactly once, over whatever connection there is.
 *
 * The sealed bytes and their id are remembered before they are first sent, and sent again as they are until there is
 * an answer: a double click, a reload, the back button or a lost answer never make a second application.
 */

import { plaintext, type Draft } from "./application.ts";
import type { Rules } from "./campaign.ts";
import * as intake from "./intake.ts";
import { checkedKey, KeyRefused, type CheckedKey } from "./keydocument.ts";
import type { Memory, Receipt } from "./memory.ts";
import { seal, type Sealed } from "./sealing.ts";
import { solve } from "./work.ts";

const FIRST_WAIT_S = 2;
const LONGEST_WAIT_S = 30;

/** What the applicant sees while it lasts. `wait` resolves when the time is up or the applicant asks for it now. */
export interface Shown {
  sealing(): void;
  sending(): void;
  working(): void;
  wait(seconds: number): Promise<void>;
}

export type Delivered =
  | { readonly kind: "receipt"; readonly receipt: Receipt }
  | { readonly kind: "refused"; readonly problem: intake.Problem }
  /** The key document is not what the vault signed: nothing was sent. */
  | { readonly kind: "unsafe"; readonly refusal: string };

export interface Trust {
  readonly pinned: string;
  readonly now: () => Date;
}

export async function deliver(
  draft: Draft | null, rules: Rules, memory: Memory, trust: Trust, shown: Shown,
): Promise<Delivered> {
  try {
    let sealed = memory.pending;
    if (sealed === null) {
      if (draft === null) throw new Error("nothing to send");
      sealed = await sealedAnew(draft, crypto.randomUUID(), rules, memory, trust, shown);
    }
    return await insist(draft, sealed, rules, memory, trust, shown);
  } catch (error) {
    if (error instanceof KeyRefused) return { kind: "unsafe", refusal: error.refusal };
    throw error;
  }
}

async function insist(
  draft: Draft | null, first: Sealed, rules: Rules, memory: Memory, trust: Trust, shown: Shown,
): Promise<Delivered> {
  let sealed = first;
  let nonce: number | null = null;
  for (let wait_s = FIRST_WAIT_S; ; ) {
    shown.sending();
    const answer = await intake.apply(rules.campaign, sealed, nonce);
    if (answer.kind === "taken") return remembered(answer.receipt, sealed, memory);
    if (answer.kind === "work") {
      shown.working();
      nonce = await solve(rules.campaign, sealed, answer.bits);
    } else if (answer.kind === "new-key" && draft !== null) {
      sealed = await sealedAnew(draft, sealed.application_id, rules, memory, trust, shown);
      nonce = null;
    } else if (answer.kind === "later") {
      await shown.wait(answer.wait_s ?? wait_s * (0.75 + Math.random() / 2));
      wait_s = Math.min(2 * wait_s, LONGEST_WAIT_S);
    } else {
      return await refused(answer, sealed, memory);
    }
  }
}

/** Another body under this id was taken before: then the receipt of that one is ours. */
async function refused(answer: intake.Answer, sealed: Sealed, memory: Memory): Promise<Delivered> {
  if (answer.kind === "conflict") {
    const known = await intake.status(`/v1/applications/${sealed.application_id}`).catch(() => null);
    if (known !== null) return remembered(known.receipt, sealed, memory);
  }
  memory.forgetPending();
  const nothing = { type: "", title: "", detail: "", detail_en: "" };
  return { kind: "refused", problem: answer.kind === "refused" ? answer.problem : nothing };
}

function remembered(receipt: string, sealed: Sealed, memory: Memory): Delivered {
  const whole = { receipt, application_id: sealed.application_id };
  memory.receipt = whole;
  return { kind: "receipt", receipt: whole };
}

async function sealedAnew(
  draft: Draft, applicationId: string, rules: Rules, memory: Memory, trust: Trust, shown: Shown,
): Promise<Sealed> {
  shown.sealing();
  const key = await currentKey(rules.campaign, trust, shown);
  const sealed = await seal(plaintext(draft, rules), applicationId, key);
  memory.pending = sealed;
  return sealed;
}

async function currentKey(campaign: string, trust: Trust, shown: Shown): Promise<CheckedKey> {
  for (let wait_s = FIRST_WAIT_S; ; wait_s = Math.min(2 * wait_s, LONGEST_WAIT_S)) {
    let document: unknown;
    try {
      document = await intake.keyDocument(campaign);
    } catch {
      await shown.wait(wait_s);
      continue;
    }
    return checkedKey(document, campaign, trust.pinned, trust.now());
  }
}
