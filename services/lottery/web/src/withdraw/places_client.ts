/** Client of the lottery's own places (docs/protocols.md §2): sends entry id and proof, never the code. */

import { page } from "./page.ts";

const TIMEOUT_MS = 20_000;

export type PlaceState = "held" | "waiting" | "offered" | "gone";
export type PlaceAnswer = "accept" | "decline" | "withdraw";

export interface OwnPlace {
  readonly class_id: string;
  readonly seats: number;
  readonly state: PlaceState;
  readonly position: number | null;
  readonly answer_by: string | null;
  readonly why: string | null;
}

/** Outcome of one class that was asked for, as the outcome slip says it (docs/protocols.md §2). */
export interface OwnOutcome {
  readonly class_id: string;
  readonly outcome: "won" | "waiting" | "offered" | "lost" | "refused" | "gone";
  readonly seats: number;
  readonly position?: number;
  readonly answer_by?: string;
  /** Place in the drawn order among the entries that asked for the class, and their number; absent for a refused class. */
  readonly rank?: number;
  readonly of?: number;
  readonly reason?: string;
}

/** What became of an entry: each class asked for, and the places that it has or had. */
export interface OwnResult {
  readonly outcomes: readonly OwnOutcome[];
  readonly places: readonly OwnPlace[];
}

/** Entry of which this page can prove that it is the applicant's own. */
export interface OwnEntry {
  readonly entry: string;
  readonly proof: string;
}

/** Reason for a refusal; the texts are in the catalogue as `withdraw.error.<refusal>`. */
export type Refusal = "not-yours" | "too-many" | "not-now" | "not-possible" | "away";

export type PlacesAnswer = OwnResult | { readonly refusal: Refusal };

const REFUSALS: Readonly<Record<string, Refusal>> = {
  "not-yours": "not-yours",
  "too-many-requests": "too-many",
  "wrong-state": "not-now",
  "not-possible": "not-possible",
};

/** Return the own result. */
export function ownResult(own: OwnEntry): Promise<PlacesAnswer> {
  return post("own", { v: 2, ...own });
}

/** Send an answer about one class; return the own result afterwards. */
export function sendAnswer(own: OwnEntry, classId: string, answer: PlaceAnswer): Promise<PlacesAnswer> {
  return post("own/answer", { v: 2, ...own, class_id: classId, answer });
}

async function post(path: string, body: Readonly<Record<string, unknown>>): Promise<PlacesAnswer> {
  try {
    const answer = await fetch(`/v1/campaigns/${page.campaign}/places/${path}`, {
      method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" },
      credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const content = (await answer.json()) as OwnResult & { type?: string };
    if (answer.ok) return { outcomes: content.outcomes, places: content.places };
    return { refusal: REFUSALS[content.type?.split(":").at(-1) ?? ""] ?? "away" };
  } catch {
    return { refusal: "away" };
  }
}
