/** One record being computed anew, in a worker of its own: a newer one ends it, so that no answers are mixed up. */

import { trusted } from "#shared/offline.ts";
import type { Asked, Said, Source } from "./verify-work.entry.ts";

export class Computing {
  private readonly address: string;
  private worker: Worker | null = null;

  /** `hear` is told what the worker says, `broken` that it does not run. */
  constructor(address: string, private readonly hear: (said: Said) => void, private readonly broken: () => void) {
    this.address = trusted("kuji-verify-work", address);
  }

  verify(source: Source, published: string): void {
    this.stop();
    const worker = new Worker(this.address, { type: "module" });
    worker.onmessage = (event: MessageEvent<Said>) => this.hear(event.data);
    worker.onerror = () => this.broken();
    this.worker = worker;
    this.ask({ kind: "verify", source, published });
  }

  /** Along the record that was verified last. */
  follow(typed: string, receipts: string): void {
    this.ask({ kind: "follow", typed, receipts });
  }

  private ask(asked: Asked): void {
    this.worker?.postMessage(asked);
  }

  private stop(): void {
    if (this.worker === null) return;
    this.worker.onmessage = null;
    this.worker.onerror = null;
    this.worker.terminate();
  }
}
