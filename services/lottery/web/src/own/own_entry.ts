/**
 * Find the own entry from a typed number and the code. The code stays on the device: only numbers and proofs leave it.
 *
 * A receipt number needs intake, which names the application id; an entry number needs the published rows only.
 */

import { entryId, entryPrefix, normaliseEntryNumber } from "#shared/codes.ts";
import { normaliseReceipt } from "#shared/receipts.ts";

const TIMEOUT_MS = 20_000;

/** A receipt number or an entry number in its printed form. */
export type OwnNumber = { readonly receipt: string } | { readonly entryNumber: string };

/** Thrown when intake or the lottery does not answer. */
export class AwayError extends Error {}

/** Read a typed number; null if it is neither a receipt number nor an entry number. */
export function readNumber(typed: string): OwnNumber | null {
  const [receipt, entryNumber] = [normaliseReceipt(typed), normaliseEntryNumber(typed)];
  if (receipt !== null) return { receipt };
  return entryNumber === null ? null : { entryNumber };
}

/**
 * Ask intake for the application of a receipt number and compute its entry id; null if intake has no such receipt.
 * `intake`: origin of intake. Throws AwayError.
 */
export async function entryOfReceipt(intake: string, campaign: string, receipt: string, code: string): Promise<string | null> {
  const answer = await get(`${intake}/v1/campaigns/${campaign}/receipts/${encodeURIComponent(receipt)}`);
  if (answer.status === 404) return null;
  if (!answer.ok) throw new AwayError();
  const { application_id } = (await answer.json()) as { application_id: string };
  return entryId(campaign, application_id, code);
}

/** Return the entries of an entry number among the published rows; several if they share 40 bits. Throws AwayError. */
export async function entriesOfNumber(campaign: string, entryNumber: string): Promise<readonly string[]> {
  const answer = await get(`/v1/campaigns/${campaign}/rows`);
  if (answer.status === 404) return [];
  if (!answer.ok) throw new AwayError();
  const prefix = entryPrefix(entryNumber);
  return (await answer.text()).split("\n").filter((row) => row.startsWith(prefix)).map((row) => row.slice(0, 32));
}

async function get(address: string): Promise<Response> {
  try {
    return await fetch(address, { credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer", signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new AwayError();
  }
}
