/**
 * Keep receipts on the device beyond the tab, only if the applicant says so: receipt document and code, never content.
 */

import type { ReceiptDocument } from "#shared/receipt_documents.ts";

export interface KeptReceipt {
  readonly document: ReceiptDocument;
  readonly code: string;
}

/** Typed access to localStorage for one campaign. */
export class KeptReceipts {
  readonly #name: string;

  constructor(campaign: string) {
    this.#name = `kuji:${campaign}:kept`;
  }

  /** Kept receipts, the newest first. */
  get all(): readonly KeptReceipt[] {
    try {
      return JSON.parse(localStorage.getItem(this.#name) ?? "[]") as readonly KeptReceipt[];
    } catch {
      return [];
    }
  }

  has(receipt: string): boolean {
    return this.all.some(({ document }) => document.receipt === receipt);
  }

  /** Keep a receipt in the place of an older one with the same number. Return false if the browser stores nothing. */
  keep({ document, code }: KeptReceipt): boolean {
    return this.#write([{ document, code }, ...this.#without(document.receipt)]);
  }

  forget(receipt: string): void {
    this.#write(this.#without(receipt));
  }

  #without(receipt: string): readonly KeptReceipt[] {
    return this.all.filter(({ document }) => document.receipt !== receipt);
  }

  #write(receipts: readonly KeptReceipt[]): boolean {
    try {
      if (receipts.length === 0) localStorage.removeItem(this.#name);
      else localStorage.setItem(this.#name, JSON.stringify(receipts));
      return true;
    } catch {
      return false;
    }
  }
}
