/**
 * What this tab remembers across a reload, and no longer: sessionStorage is wiped by the browser with the tab.
 *
 * The draft holds a person's data and is wiped as soon as the receipt is there. The sealed application is kept until
 * then, so that whatever happens to the connection the same bytes under the same id are sent again, never others.
 */

import type { Draft } from "./application.ts";
import type { Sealed } from "./sealing.ts";

export interface Receipt {
  readonly receipt: string;
  readonly application_id: string;
}

export class Memory {
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

  /** Sealed and perhaps sent: nobody knows yet whether it arrived. */
  get pending(): Sealed | null {
    return this.#read<Sealed>("pending");
  }

  set pending(sealed: Sealed) {
    this.#write("pending", sealed);
  }

  get receipt(): Receipt | null {
    return this.#read<Receipt>("receipt");
  }

  /** The receipt is there: of what was typed and sealed nothing stays. */
  set receipt(receipt: Receipt) {
    this.#write("receipt", receipt);
    this.#forget("draft", "pending");
  }

  /** It was refused for good: what was typed stays, for correcting. */
  forgetPending(): void {
    this.#forget("pending");
  }

  /** For the next person at this device. */
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

  /** A tab without storage (private modes, full) goes on without remembering. */
  #write(name: string, value: unknown): void {
    try {
      sessionStorage.setItem(this.#prefix + name, JSON.stringify(value));
    } catch {
      this.#forget(name);
    }
  }
}
