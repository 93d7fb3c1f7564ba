/** What staff do: sent to `/v1` as JSON with the session's cookie; a refusal is said in the server's own words. */

import { t } from "#shared/page.ts";
import { page } from "./page.ts";

const PATIENCE_MS = 30_000;

/** The server took it (`body` is its answer), or did not (`text` says why and what to do). */
export type Answer = { readonly ok: true; readonly body: unknown } | { readonly ok: false; readonly text: string };

interface Problem {
  readonly title?: string;
  readonly detail?: string;
  readonly detail_en?: string;
}

/** Change something, in the name of whoever signed in. */
export function call(path: string, body: Readonly<Record<string, unknown>>): Promise<Answer> {
  return sent(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ ...body, actor: page.actor }) });
}

/** Only look. */
export function look(path: string): Promise<Answer> {
  return sent(path, {});
}

async function sent(path: string, request: RequestInit): Promise<Answer> {
  try {
    const answer = await fetch(path, { ...request, credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE_MS) });
    const said: unknown = await answer.json();
    return answer.ok ? { ok: true, body: said } : { ok: false, text: inWords(said as Problem, answer.status) };
  } catch {
    return { ok: false, text: t("call.away") };
  }
}

function inWords(problem: Problem, status: number): string {
  if (status === 401) return t("call.signed-out");
  const said = page.lang === "ja" ? [problem.title, problem.detail] : [problem.detail_en ?? problem.title];
  const text = said.filter((each) => each !== undefined).join(page.lang === "ja" ? "。" : " ");
  return text === "" ? t("call.away") : text;
}
