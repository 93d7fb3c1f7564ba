/** Calls of staff to the API, as JSON with the session's cookie. A refusal carries the server's own text. */

import { t } from "#shared/page.ts";
import { page } from "./page.ts";

const TIMEOUT_MS = 30_000;

/** Result of a call: the answer's `body`, or a `text` that says why it failed and what to do. */
export type CallResult = { readonly ok: true; readonly body: unknown } | { readonly ok: false; readonly text: string };

interface Problem {
  readonly title?: string;
  readonly detail?: string;
  readonly detail_en?: string;
}

/** POST a change in the name of the signed-in handler. */
export function call(path: string, body: Readonly<Record<string, unknown>>): Promise<CallResult> {
  return send(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

/** GET without a change. */
export function get(path: string): Promise<CallResult> {
  return send(path, {});
}

async function send(path: string, request: RequestInit): Promise<CallResult> {
  try {
    const answer = await fetch(path, { ...request, credentials: "same-origin", signal: AbortSignal.timeout(TIMEOUT_MS) });
    const content: unknown = await answer.json();
    return answer.ok ? { ok: true, body: content } : { ok: false, text: describe(content as Problem, answer.status) };
  } catch {
    return { ok: false, text: t("call.away") };
  }
}

function describe(problem: Problem, status: number): string {
  if (status === 401) return t("call.signed-out");
  const parts = page.lang === "ja" ? [problem.title, problem.detail] : [problem.detail_en ?? problem.title];
  const text = parts.filter((part) => part !== undefined).join(page.lang === "ja" ? "。" : " ");
  return text === "" ? t("call.away") : text;
}
