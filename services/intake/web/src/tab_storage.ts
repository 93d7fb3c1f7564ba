/**
 * Store drafts, sealed bytes and receipts of this tab; the browser deletes sessionStorage with the tab.
 *
 * The draft has a person's data and is deleted when the receipt arrives. Sealed bytes are kept until then, so that the
 * same bytes are sent again after any failure of the connection. Receipts stay until the tab is closed or wiped: a
 * reload must not lose a code. What stays longer is in `kept_receipts.ts`, only if the applicant says so.
 */

import type { ReceiptDocument, SentVersion } from "#shared/receipt_documents.ts";
import type { Choice, Draft } from "./application.ts";

/** Application of which the applicant has the code, and whether it is to be withdrawn or corrected. */
export interface OwnApplication {
  readonly receipt: string;
  readonly application_id: string;
  readonly code: string;
  readonly withdraw: boolean;
}

/** Request of a version: the body of a first application, or of a correction or withdrawal. */
export interface PendingVersion {
  readonly body: Readonly<Record<string, unknown>>;
  readonly sent: SentVersion;
  readonly code: string;
  readonly choices: readonly Choice[];
  readonly withdrawn: boolean;
  /** Version under the same number that was sealed before with an older key; intake may have accepted it. */
  readonly earlier: PendingVersion | null;
}

/** Verified receipt of the last version that this tab sent, and what the receipt page shows beside it. */
export interface TabReceipt {
  readonly document: ReceiptDocument;
  readonly code: string;
  readonly choices: readonly Choice[];
  readonly withdrawn: boolean;
}

/** Typed access to sessionStorage for one campaign. */
export class TabStorage {
  readonly #prefix: string;

  constructor(campaign: string) {
    this.#prefix = `kuji:${campaign}:`;
  }

  get draft(): Draft | null {
    return this.#read<Draft>("draft");
  }

  set draft(draft: Draft | null) {
    this.#write("draft", draft);
  }

  /** Application that is being corrected or withdrawn; null while a new one is made. */
  get own(): OwnApplication | null {
    return this.#read<OwnApplication>("own");
  }

  set own(own: OwnApplication | null) {
    this.#write("own", own);
  }

  /** Version whose answer has not arrived yet. */
  get pending(): PendingVersion | null {
    return this.#read<PendingVersion>("pending");
  }

  set pending(pending: PendingVersion | null) {
    this.#write("pending", pending);
  }

  /** Receipts of this tab, the newest first. */
  get receipts(): readonly TabReceipt[] {
    return this.#read<readonly TabReceipt[]>("receipts") ?? [];
  }

  /** Store a receipt in the place of an older one of the same application; delete draft, sealed bytes and target. */
  addReceipt(receipt: TabReceipt): void {
    const others = this.receipts.filter(({ document }) => document.application_id !== receipt.document.application_id);
    this.#write("receipts", [receipt, ...others]);
    this.#forget("draft", "pending", "own");
  }

  /** Delete everything, for the next person at this device. */
  wipe(): void {
    this.#forget("draft", "pending", "own", "receipts");
  }

  #forget(...names: readonly string[]): void {
    for (const name of names) sessionStorage.removeItem(this.#prefix + name);
  }

  #read<Value>(name: string): Value | null {
    try {
      return JSON.parse(sessionStorage.getItem(this.#prefix + name) ?? "null") as Value | null;
    } catch {
      return null;
    }
  }

  /** Store a value, or delete it (null); a tab without storage (private mode, full) continues without it. */
  #write(name: string, value: unknown): void {
    if (value === null) return this.#forget(name);
    try {
      sessionStorage.setItem(this.#prefix + name, JSON.stringify(value));
    } catch {
      this.#forget(name);
    }
  }
}
