/** Call intake (docs/protocols.md §1). Each wait has an end; each answer names the next thing to do. */

import type { SentVersion } from "#shared/receipt_documents.ts";

const TIMEOUT_MS = 15_000;

/** Intake's answer to a version of an application. */
export type Answer =
  /** Accepted, with a receipt document that is not checked yet. */
  | { readonly kind: "taken"; readonly document: unknown }
  /** Not accepted: send the same again after `wait_s` seconds (null: the caller chooses). */
  | { readonly kind: "later"; readonly wait_s: number | null }
  | { readonly kind: "new-key" }
  | { readonly kind: "work"; readonly bits: number }
  | { readonly kind: "conflict" | "version-taken" | "not-yours" }
  | { readonly kind: "refused"; readonly problem: Problem };

/** Problem of RFC 9457 in Japanese, with an English text beside it. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  readonly detail_en: string;
}

export interface Status {
  readonly receipt: string;
  readonly application_id: string;
  readonly status: "received" | "complete" | "under-review" | "rejected" | "withdrawn" | "drawn";
  readonly reasons: readonly string[];
  /** Number of the version that a correction or withdrawal would be. */
  readonly next_version: number;
}

export interface PostalTown {
  readonly prefecture: string;
  readonly municipality: string;
  readonly town: string;
}

/** Return the current key document, unchecked. Throws if intake does not answer. */
export async function keyDocument(campaign: string): Promise<unknown> {
  const answer = await ask(`/v1/campaigns/${campaign}/sealing-key`);
  if (!answer.ok) throw new Error("no key");
  return answer.json();
}

/** Send a version, the first or a later one, with the nonce of its proof of work where intake required one. */
export async function send({ campaign, application_id, version }: SentVersion, body: object, nonce: number | null): Promise<Answer> {
  const path = version === 1 ? `/v1/campaigns/${campaign}/applications` : `/v1/applications/${application_id}/versions`;
  const headers = { "Content-Type": "application/json", ...(nonce === null ? {} : { "Kuji-Work": String(nonce) }) };
  try {
    return await read(await ask(path, { method: "POST", body: JSON.stringify(body), headers }));
  } catch {
    return { kind: "later", wait_s: null };
  }
}

/** Return the status by application id or receipt number; null if intake has none. Throws if intake does not answer. */
export async function status(path: string): Promise<Status | null> {
  const answer = await ask(path);
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error("no status");
  return (await answer.json()) as Status;
}

/** Return the towns of seven digits; none for an unknown code. Throws if intake does not answer. */
export async function postalTowns(postalCode: string): Promise<readonly PostalTown[]> {
  const answer = await ask(`/v1/postal-codes/${postalCode}`, { cache: "default" });
  if (answer.status === 404) return [];
  if (!answer.ok) throw new Error("no towns");
  return ((await answer.json()) as { places: readonly PostalTown[] }).places;
}

async function ask(path: string, request: RequestInit = {}): Promise<Response> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  return fetch(path, { cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer", signal, ...request });
}

async function read(answer: Response): Promise<Answer> {
  if (answer.ok) return { kind: "taken", document: await answer.json() };
  const problem = (await answer.json().catch(() => ({}))) as Partial<Problem> & { bits?: number };
  const name = problem.type?.split(":").at(-1);
  if (answer.status === 428 && problem.bits !== undefined) return { kind: "work", bits: problem.bits };
  if (name === "key-expired") return { kind: "new-key" };
  if (name === "conflict" || name === "version-taken" || name === "not-yours") return { kind: name };
  if (answer.status >= 500 || [408, 425, 429].includes(answer.status)) return { kind: "later", wait_s: wait(answer) };
  return { kind: "refused", problem: { type: "", title: "", detail: "", detail_en: "", ...problem } };
}

function wait(answer: Response): number | null {
  const seconds = Number(answer.headers.get("Retry-After") ?? NaN);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : null;
}
