/** Reasons of outcomes in words. */

import { maybe, t } from "#shared/page.ts";
import { page } from "./page.ts";
import type { OwnOutcome } from "./places_client.ts";

/** Reason of a class that was won in a further round (docs/protocols.md §2); rank and number are then of the round. */
export const FURTHER_ROUND = "further-round";

/** Return why a class was not given, why it ended, or that a further round gave it; null where nothing needs a reason. */
export function whyOf(outcome: OwnOutcome, all: readonly OwnOutcome[]): string | null {
  const { outcome: kind, reason = "" } = outcome;
  if (kind === "won" && reason === FURTHER_ROUND) return t("withdraw.why.won.further-round");
  if (kind !== "lost" && kind !== "refused" && kind !== "gone") return null;
  if (kind === "lost" && reason === "clash") return describeClash(outcome, all);
  const key = `withdraw.why.${kind}.${reason}`;
  const figures = { capacity: page.classes[outcome.class_id]?.capacity ?? 0, max_wins: page.max_wins, seats: outcome.seats };
  return t(maybe(key) === undefined ? `withdraw.why.${kind}.other` : key, figures);
}

/** Name the class that is held and overlaps; if none is held any more, say it without a name. */
function describeClash({ class_id }: OwnOutcome, all: readonly OwnOutcome[]): string {
  const held = all.filter((other) => other.outcome === "won" || other.outcome === "offered");
  const other = held.find((each) => overlap(class_id, each.class_id));
  const title = other === undefined ? undefined : page.classes[other.class_id]?.title;
  return title === undefined ? t("withdraw.why.lost.clash-unnamed") : t("withdraw.why.lost.clash", { title });
}

function overlap(one: string, other: string): boolean {
  const [a, b] = [page.classes[one], page.classes[other]];
  return a !== undefined && b !== undefined && a.starts_ms < b.ends_ms && b.starts_ms < a.ends_ms;
}
