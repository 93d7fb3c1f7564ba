/** What the device keeps through a reload or an empty battery: IndexedDB, one database for each campaign. */

import type { Noted } from "./scan_log.ts";
import type { RosterDocument } from "./roster.ts";

export interface Kept {
  roster?: RosterDocument;
  /** The roster's ETag. */
  tag?: string;
  /** Everything up to here was heard from the office. */
  cursor?: number;
  device?: string;
  desk?: string;
  muted?: boolean;
  /** Milliseconds that the office's clock is ahead of this device's. */
  ahead?: number;
}

const STATE = "state";
const SCANS = "scans";

export class Keeping {
  private constructor(private readonly database: IDBDatabase) {}

  static async open(campaign: string): Promise<Keeping> {
    const opening = indexedDB.open(nameOf(campaign), 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore(STATE);
      opening.result.createObjectStore(SCANS, { keyPath: "id" });
    };
    return new Keeping(await done(opening));
  }

  async read(): Promise<{ kept: Kept; scans: Noted[] }> {
    const transaction = this.database.transaction([STATE, SCANS]);
    const kept = done(transaction.objectStore(STATE).get(STATE) as IDBRequest<Kept | undefined>);
    const scans = done(transaction.objectStore(SCANS).getAll() as IDBRequest<Noted[]>);
    return { kept: (await kept) ?? {}, scans: await scans };
  }

  /** Resolves when all of it is on the disk, or none. */
  async write(kept: Kept, scans: readonly Noted[]): Promise<void> {
    const transaction = this.database.transaction([STATE, SCANS], "readwrite", { durability: "strict" });
    transaction.objectStore(STATE).put(kept, STATE);
    for (const scan of scans) transaction.objectStore(SCANS).put(scan);
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("not kept"));
    });
  }

  /** Nothing of the campaign stays on the device. */
  async wipe(campaign: string): Promise<void> {
    this.database.close();
    await done(indexedDB.deleteDatabase(nameOf(campaign)));
  }
}

function nameOf(campaign: string): string {
  return `kuji-reception-${campaign}`;
}

async function done<Result>(request: IDBRequest<Result>): Promise<Result> {
  return await new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("not done"));
  });
}
