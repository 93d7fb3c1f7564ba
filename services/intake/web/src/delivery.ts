/**
 * Deliver one application to intake exactly once over an unreliable connection.
 *
 * The sealed bytes and their id are stored before they are first sent, and are sent again unchanged until intake
 * answers. So a double click, a reload, the back button or a lost answer cannot make a second application.
 */

import { plaintext, type Draft } from "./application.ts";
import type { Rules } from "./campaign.ts";
import * as intake from "./intake_client.ts";
import { checkKey, KeyRefusedError, type CheckedKey } from "./key_document.ts";
import type { TabStorage, Receipt } from "./tab_storage.ts";
import { seal, type Sealed } from "./seal.ts";
import { solve } from "./proof_of_work.ts";

const FIRST_WAIT_S = 2;
const LONGEST_WAIT_S = 30;

/** Show the progress. `wait` resolves when the time is over or the applicant presses "send again now". */
export interface DeliveryView {
  sealing(): void;
  sending(): void;
  working(): void;
  wait(seconds: number): Promise<void>;
}

export type DeliveryResult =
  | { readonly kind: "receipt"; readonly receipt: Receipt }
  | { readonly kind: "refused"; readonly problem: intake.Problem }
  /** The vault did not sign the key document: nothing was sent. */
  | { readonly kind: "unsafe"; readonly refusal: string };

export interface Trust {
  readonly pinned: string;
  readonly now: () => Date;
}

/** Seal the draft, or take the sealed application of this tab, and send it until intake answers. */
export async function deliver(
  draft: Draft | null, rules: Rules, storage: TabStorage, trust: Trust, shown: DeliveryView,
): Promise<DeliveryResult> {
  try {
    let sealed = storage.pending;
    if (sealed === null) {
      if (draft === null) throw new Error("nothing to send");
      sealed = await sealAndStore(draft, crypto.randomUUID(), rules, storage, trust, shown);
    }
    return await sendUntilAnswered(draft, sealed, rules, storage, trust, shown);
  } catch (error) {
    if (error instanceof KeyRefusedError) return { kind: "unsafe", refusal: error.refusal };
    throw error;
  }
}

async function sendUntilAnswered(
  draft: Draft | null, first: Sealed, rules: Rules, storage: TabStorage, trust: Trust, shown: DeliveryView,
): Promise<DeliveryResult> {
  let sealed = first;
  let nonce: number | null = null;
  for (let wait_s = FIRST_WAIT_S; ; ) {
    shown.sending();
    const answer = await intake.apply(rules.campaign, sealed, nonce);
    if (answer.kind === "taken") return storeReceipt(answer.receipt, sealed, storage);
    if (answer.kind === "work") {
      shown.working();
      nonce = await solve(rules.campaign, sealed, answer.bits);
    } else if (answer.kind === "new-key" && draft !== null) {
      sealed = await sealAndStore(draft, sealed.application_id, rules, storage, trust, shown);
      nonce = null;
    } else if (answer.kind === "later") {
      await shown.wait(answer.wait_s ?? wait_s * (0.75 + Math.random() / 2));
      wait_s = Math.min(2 * wait_s, LONGEST_WAIT_S);
    } else {
      return await handleRefusal(answer, sealed, storage);
    }
  }
}

/** On a conflict intake already accepted this id: then return the receipt of that application. */
async function handleRefusal(answer: intake.Answer, sealed: Sealed, storage: TabStorage): Promise<DeliveryResult> {
  if (answer.kind === "conflict") {
    const earlier = await intake.status(`/v1/applications/${sealed.application_id}`).catch(() => null);
    if (earlier !== null) return storeReceipt(earlier.receipt, sealed, storage);
  }
  storage.forgetPending();
  const nothing = { type: "", title: "", detail: "", detail_en: "" };
  return { kind: "refused", problem: answer.kind === "refused" ? answer.problem : nothing };
}

function storeReceipt(receipt: string, sealed: Sealed, storage: TabStorage): DeliveryResult {
  const stored = { receipt, application_id: sealed.application_id };
  storage.receipt = stored;
  return { kind: "receipt", receipt: stored };
}

async function sealAndStore(
  draft: Draft, applicationId: string, rules: Rules, storage: TabStorage, trust: Trust, shown: DeliveryView,
): Promise<Sealed> {
  shown.sealing();
  const key = await currentKey(rules.campaign, trust, shown);
  const sealed = await seal(plaintext(draft, rules), applicationId, key);
  storage.pending = sealed;
  return sealed;
}

async function currentKey(campaign: string, trust: Trust, shown: DeliveryView): Promise<CheckedKey> {
  for (let wait_s = FIRST_WAIT_S; ; wait_s = Math.min(2 * wait_s, LONGEST_WAIT_S)) {
    let document: unknown;
    try {
      document = await intake.keyDocument(campaign);
    } catch {
      await shown.wait(wait_s);
      continue;
    }
    return checkKey(document, campaign, trust.pinned, trust.now());
  }
}
