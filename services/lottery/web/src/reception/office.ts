/** Talking to the office: the roster, and scans in both directions. Every call ends, with an answer or without. */

import type { Noted } from "./scan_log.ts";
import type { RosterDocument } from "./roster.ts";

const PATIENCE_MS = 8000;

/** `signed-out`: sign in again; `erased`: wipe; `refused`: the office does not take it; `away`: no answer. */
export type Trouble = "signed-out" | "erased" | "refused" | "away";

export class NoAnswer extends Error {
  constructor(readonly trouble: Trouble) {
    super(trouble);
  }
}

export interface HeardScan {
  readonly id: string;
  readonly at: string;
  readonly device: string;
  readonly class_id: string;
  readonly people: number;
  readonly desk: string | null;
  readonly undoes: string | null;
  readonly fault: "forged" | "unknown" | null;
  readonly place: string | null;
}

export interface Heard {
  readonly now: string;
  readonly cursor: number;
  readonly more: boolean;
  readonly scans: readonly HeardScan[];
}

export async function roster(campaign: string, tag: string | undefined): Promise<{ document: RosterDocument; tag: string } | null> {
  const headers: Record<string, string> = tag === undefined ? {} : { "If-None-Match": tag };
  const answer = await call(`/v1/campaigns/${campaign}/reception/roster`, { headers, cache: "no-store" });
  if (answer.status === 304) return null;
  return { document: (await answer.json()) as RosterDocument, tag: answer.headers.get("ETag") ?? "" };
}

export async function meet(campaign: string, device: string, actor: string, since: number, unsent: readonly Noted[]): Promise<Heard> {
  const scans = unsent.map((each) => ({
    id: each.id,
    at: new Date(each.at).toISOString(),
    class_id: each.classId,
    people: each.people,
    desk: each.desk,
    undoes: each.undoes,
    ...(each.shown === null ? { receipt: each.receipt } : { pass: each.shown }),
  }));
  const body = JSON.stringify({ device, actor, since, scans });
  const headers = { "Content-Type": "application/json" };
  const answer = await call(`/v1/campaigns/${campaign}/reception/scans`, { method: "POST", headers, body });
  return (await answer.json()) as Heard;
}

async function call(path: string, options: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    throw new NoAnswer("away");
  }
  if (answer.ok || answer.status === 304) return answer;
  if (answer.status === 401) throw new NoAnswer("signed-out");
  if (answer.status === 410) throw new NoAnswer("erased");
  throw new NoAnswer(answer.status >= 500 ? "away" : "refused");
}
