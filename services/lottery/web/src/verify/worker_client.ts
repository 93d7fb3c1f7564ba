/** Client of the worker that verifies one record. A new record ends the old worker, so that messages do not mix. */

import { trusted } from "#shared/offline.ts";
import type { PinnedKeys } from "./receipt_checks.ts";
import type { PublishedKeys } from "./checks.ts";
import type { Source, Wanted, WorkerMessage, WorkerRequest } from "./verify-work.entry.ts";

export class WorkerClient {
  private readonly address: string;
  private worker: Worker | null = null;

  /** `onMessage` receives the worker's messages; `onError` is called if the worker does not run. */
  constructor(address: string, private readonly onMessage: (message: WorkerMessage) => void, private readonly onError: () => void) {
    this.address = trusted("kuji-verify-work", address);
  }

  verify(source: Source, published: PublishedKeys): void {
    this.stop();
    const worker = new Worker(this.address, { type: "module" });
    worker.onmessage = (event: MessageEvent<WorkerMessage>) => this.onMessage(event.data);
    worker.onerror = () => this.onError();
    this.worker = worker;
    this.send({ kind: "verify", source, published });
  }

  /** Trace the path of an entry through the record that was verified last. */
  tracePath(wanted: Wanted): void {
    this.send({ kind: "follow", wanted });
  }

  /** Check a receipt document against the list that the server published. */
  checkReceipt(text: string, server: string, keys: PinnedKeys): void {
    this.send({ kind: "receipt", text, server, keys });
  }

  private send(request: WorkerRequest): void {
    this.worker?.postMessage(request);
  }

  private stop(): void {
    if (this.worker === null) return;
    this.worker.onmessage = null;
    this.worker.onerror = null;
    this.worker.terminate();
  }
}
