/**
 * Store the draft, the sealed application and the receipt of this tab; the browser deletes sessionStorage with the tab.
 *
 * The draft has a person's data and is deleted when the receipt arrives. The sealed application is kept until then,
 * so that the same bytes under the same id are sent again after any failure of the connection.
 */

import type { Draft } from "./application.ts";
import type { Sealed } from "./seal.ts";

export interface Receipt {
  readonly receipt: string;
  readonly application_id: string;
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

  set draft(draft: Draft) {
    this.#write("draft", draft);
  }

  /** Sealed application whose answer has not arrived yet. */
  get pending(): Sealed | null {
    return this.#read<Sealed>("pending");
  }

  set pending(sealed: Sealed) {
    this.#write("pending", sealed);
  }

  get receipt(): Receipt | null {
    return this.#read<Receipt>("receipt");
  }

  /** Store the receipt and delete the draft and the sealed application. */
  set receipt(receipt: Receipt) {
    this.#write("receipt", receipt);
    this.#forget("draft", "pending");
  }

  /** Delete the sealed application that intake refused; the draft stays, to be corrected. */
  forgetPending(): void {
    this.#forget("pending");
  }

  /** Delete everything, for the next person at this device. */
  wipe(): void {
    this.#forget("draft", "pending", "receipt");
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

  /** Store a value; a tab without storage (private mode, full) continues without it. */
  #write(name: string, value: unknown): void {
    try {
      sessionStorage.setItem(this.#prefix + name, JSON.stringify(value));
    } catch {
      this.#forget(name);
    }
  }
}
