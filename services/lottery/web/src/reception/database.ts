/** The device's memory: IndexedDB, one database for each campaign. It survives a reload and an empty battery. */

import { deleteDB, openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { EarlierRosterDocument, RosterDocument } from "./roster.ts";
import type { StoredScan } from "./scan_log.ts";

export interface DeviceState {
  roster?: RosterDocument | EarlierRosterDocument;
  /** ETag of the roster. */
  tag?: string;
  /** Number of the last scan received from the server. */
  cursor?: number;
  device?: string;
  /** Class that the device serves; empty or missing for all classes. */
  servedClass?: string;
  muted?: boolean;
  /** Milliseconds by which the server's clock is ahead of the device's clock. */
  ahead?: number;
}

interface Schema extends DBSchema {
  state: { key: string; value: DeviceState };
  scans: { key: string; value: StoredScan };
}

const STATE = "state";
const SCANS = "scans";

export class DeviceDatabase {
  private constructor(private readonly database: IDBPDatabase<Schema>) {}

  /** Open the campaign's database, creating it if needed. Rejects if the browser stores nothing. */
  static async open(campaign: string): Promise<DeviceDatabase> {
    return new DeviceDatabase(
      await openDB<Schema>(databaseName(campaign), 1, {
        upgrade(database) {
          database.createObjectStore(STATE);
          database.createObjectStore(SCANS, { keyPath: "id" });
        },
      }),
    );
  }

  /** Read the state and all scans in one transaction. */
  async read(): Promise<{ state: DeviceState; scans: StoredScan[] }> {
    const transaction = this.database.transaction([STATE, SCANS]);
    const [state, scans] = await Promise.all([
      transaction.objectStore(STATE).get(STATE),
      transaction.objectStore(SCANS).getAll(),
      transaction.done,
    ]);
    return { state: state ?? {}, scans };
  }

  /** Write state and scans in one transaction. Resolves when all of it is on the disk; rejects if nothing is. */
  async write(state: DeviceState, scans: readonly StoredScan[]): Promise<void> {
    const transaction = this.database.transaction([STATE, SCANS], "readwrite", { durability: "strict" });
    await Promise.all([
      transaction.objectStore(STATE).put(state, STATE),
      ...scans.map((scan) => transaction.objectStore(SCANS).put(scan)),
      transaction.done,
    ]);
  }

  /** Delete the campaign's database from the device. */
  async wipe(campaign: string): Promise<void> {
    this.database.close();
    await deleteDB(databaseName(campaign));
  }
}

function databaseName(campaign: string): string {
  return `kuji-reception-${campaign}`;
}
