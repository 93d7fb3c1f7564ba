/**
 * Deliver one version of an application to intake exactly once over an unreliable connection.
 *
 * The sealed bytes are stored before they are first sent, and are sent again unchanged until intake answers. So a double
 * click, a reload, the back button or a lost answer cannot make a second application. A receipt counts only if intake's
 * key signed it for exactly these bytes.
 */

import { intakeProof, newCode, proofDigest } from "#shared/codes.ts";
import { checkReceipt } from "#shared/receipt_documents.ts";
import { plaintext, withdrawal, type Draft } from "./application.ts";
import type { Rules } from "./campaign.ts";
import * as intake from "./intake_client.ts";
import { checkKey, KeyRefusedError, type CheckedKey } from "./key_document.ts";
import { solve } from "./proof_of_work.ts";
import { seal } from "./seal.ts";
import type { OwnApplication, PendingVersion, TabReceipt, TabStorage } from "./tab_storage.ts";

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
  | { readonly kind: "receipt"; readonly receipt: TabReceipt }
  | { readonly kind: "refused"; readonly problem: intake.Problem }
  /** The vault did not sign the key document: nothing was sent. */
  | { readonly kind: "unsafe"; readonly refusal: string }
  /** `unproved`: intake did not sign a receipt for these bytes. `version-taken`: corrected elsewhere meanwhile. */
  | { readonly kind: "unproved" | "version-taken" | "not-yours" };

export interface Trust {
  /** The vault's public signing key, base64url. */
  readonly pinned: string;
  /** Intake's public keys, base64url. */
  readonly intake: readonly string[];
  readonly now: () => Date;
}

/** Content to send: an application for `draft`, or a withdrawal for null. `own`: null for a new application. */
export interface Order {
  readonly own: OwnApplication | null;
  readonly draft: Draft | null;
}

/** Application, code and number of the version that is sealed. */
interface VersionIdentity {
  readonly application_id: string;
  readonly code: string;
  readonly version: number;
}

/** Seals and sends the versions of one campaign. */
export class Delivery {
  constructor(
    private readonly rules: Rules,
    private readonly storage: TabStorage,
    private readonly trust: Trust,
    private readonly view: DeliveryView,
  ) {}

  /** Seal the order, or take the version that this tab has sealed, and send it until intake answers. */
  async deliver(order: Order): Promise<DeliveryResult> {
    try {
      const pending = this.storage.pending ?? (await this.prepare(order));
      return pending === null ? { kind: "not-yours" } : await this.sendUntilAnswered(pending, order.draft);
    } catch (error) {
      if (error instanceof KeyRefusedError) return { kind: "unsafe", refusal: error.refusal };
      throw error;
    }
  }

  private async prepare({ own, draft }: Order): Promise<PendingVersion | null> {
    if (own === null) {
      const application_id = crypto.randomUUID();
      const code = newCode(this.rules.campaign, application_id);
      return await this.sealAndStore(draft, { application_id, code, version: 1 }, null);
    }
    const status = await this.patiently(() => intake.status(`/v1/applications/${own.application_id}`));
    if (status === null) return null;
    return await this.sealAndStore(draft, { ...own, version: status.next_version }, null);
  }

  private async sendUntilAnswered(first: PendingVersion, draft: Draft | null): Promise<DeliveryResult> {
    let pending = first;
    let nonce: number | null = null;
    for (let wait_s = FIRST_WAIT_S; ; ) {
      this.view.sending();
      const answer = await intake.send(pending.sent, pending.body, nonce);
      if (answer.kind === "taken") return this.storeReceipt(answer.document, pending);
      if (answer.kind === "work") {
        this.view.working();
        nonce = await solve(this.rules.campaign, pending.sent, answer.bits);
      } else if (answer.kind === "new-key" && (draft !== null || pending.withdrawn)) {
        pending = await this.sealAndStore(draft, { ...pending.sent, code: pending.code }, pending);
        nonce = null;
      } else if (answer.kind === "conflict" && pending.earlier !== null) {
        pending = this.storage.pending = pending.earlier;
      } else if (answer.kind === "later") {
        await this.view.wait(answer.wait_s ?? wait_s * (0.75 + Math.random() / 2));
        wait_s = Math.min(2 * wait_s, LONGEST_WAIT_S);
      } else {
        return this.refuse(answer);
      }
    }
  }

  private refuse(answer: intake.Answer): DeliveryResult {
    this.storage.pending = null;
    if (answer.kind === "version-taken" || answer.kind === "not-yours") return { kind: answer.kind };
    const nothing = { type: "", title: "", detail: "", detail_en: "" };
    return { kind: "refused", problem: answer.kind === "refused" ? answer.problem : nothing };
  }

  /** The sealed bytes stay stored without a valid receipt, so that the same bytes can be sent again. */
  private storeReceipt(document: unknown, pending: PendingVersion): DeliveryResult {
    const checked = checkReceipt(document, pending.sent, this.trust.intake);
    if (checked === null) return { kind: "unproved" };
    const { code, choices, withdrawn } = pending;
    const receipt = { document: checked, code, choices, withdrawn };
    this.storage.addReceipt(receipt);
    return { kind: "receipt", receipt };
  }

  private async sealAndStore(draft: Draft | null, identity: VersionIdentity, earlier: PendingVersion | null): Promise<PendingVersion> {
    this.view.sealing();
    const { application_id, code, version } = identity;
    const key = await this.currentKey();
    const content = draft === null ? withdrawal(code) : plaintext(draft, this.rules, code);
    const sealed = await seal(content, { application_id, version }, key);
    const pending = {
      body: this.requestBody(identity, key.keyId, sealed),
      sent: { campaign: this.rules.campaign, application_id, version, sealed },
      code,
      choices: draft?.choices ?? [],
      withdrawn: draft === null,
      earlier,
    };
    this.storage.pending = pending;
    return pending;
  }

  private requestBody({ application_id, code, version }: VersionIdentity, key_id: string, sealed: string): PendingVersion["body"] {
    const proof = intakeProof(this.rules.campaign, application_id, code);
    if (version === 1) return { v: 2, application_id, key_id, sealed, proof_sha256: proofDigest(proof) };
    return { v: 2, version, key_id, sealed, proof };
  }

  private async currentKey(): Promise<CheckedKey> {
    const document = await this.patiently(() => intake.keyDocument(this.rules.campaign));
    return checkKey(document, this.rules.campaign, this.trust.pinned, this.trust.now());
  }

  /** Repeat a call until intake answers. */
  private async patiently<Value>(call: () => Promise<Value>): Promise<Value> {
    for (let wait_s = FIRST_WAIT_S; ; wait_s = Math.min(2 * wait_s, LONGEST_WAIT_S)) {
      try {
        return await call();
      } catch {
        await this.view.wait(wait_s);
      }
    }
  }
}
