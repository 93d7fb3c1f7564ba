/** Client of the lottery's reception API: the roster, and scans in both directions. Every call has a timeout. */

import type { Fault } from "./attendance.ts";
import type { RosterDocument } from "./roster.ts";
import type { StoredScan } from "./scan_log.ts";

const TIMEOUT_MS = 8000;

/** `signed-out`: sign in again; `erased`: wipe the device; `refused`: the server rejects the call; `away`: no answer. */
export type Trouble = "signed-out" | "erased" | "refused" | "away";

export class ApiError extends Error {
  constructor(readonly trouble: Trouble) {
    super(trouble);
  }
}

/** A scan as the server sends it. `desk`: the class that the device served. */
export interface ScanDocument {
  readonly id: string;
  readonly at: string;
  readonly device: string;
  readonly class_id: string;
  readonly people: number;
  readonly desk: string | null;
  readonly undoes: string | null;
  readonly fault: Fault | null;
  readonly place: string | null;
}

export interface SyncResponse {
  readonly now: string;
  readonly cursor: number;
  readonly more: boolean;
  readonly scans: readonly ScanDocument[];
}

/** Fetch the roster; null if it still is the one with this ETag. Throws ApiError. */
export async function fetchRoster(campaign: string, tag: string | undefined): Promise<{ document: RosterDocument; tag: string } | null> {
  const headers: Record<string, string> = tag === undefined ? {} : { "If-None-Match": tag };
  const answer = await call(`/v1/campaigns/${campaign}/reception/roster`, { headers, cache: "no-store" });
  if (answer.status === 304) return null;
  return { document: (await answer.json()) as RosterDocument, tag: answer.headers.get("ETag") ?? "" };
}

/** Send the device's unsent scans and receive all scans after the cursor `since`. Throws ApiError. */
export async function syncScans(campaign: string, device: string, since: number, unsent: readonly StoredScan[]): Promise<SyncResponse> {
  const scans = unsent.map((scan) => ({
    id: scan.id,
    at: new Date(scan.at).toISOString(),
    class_id: scan.classId,
    people: scan.people,
    desk: scan.servedClass,
    undoes: scan.undoes,
    ...evidence(scan),
  }));
  const body = JSON.stringify({ device, since, scans });
  const headers = { "Content-Type": "application/json" };
  const answer = await call(`/v1/campaigns/${campaign}/reception/scans`, { method: "POST", headers, body });
  return (await answer.json()) as SyncResponse;
}

function evidence({ pass, entry, proof, receipt, compared }: StoredScan): Readonly<Record<string, unknown>> {
  if (pass !== null) return { pass };
  return entry === null ? { receipt, compared } : { entry, proof };
}

async function call(path: string, options: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new ApiError("away");
  }
  if (answer.ok || answer.status === 304) return answer;
  if (answer.status === 401) throw new ApiError("signed-out");
  if (answer.status === 410) throw new ApiError("erased");
  throw new ApiError(answer.status >= 500 ? "away" : "refused");
}
