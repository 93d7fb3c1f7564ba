/**
 * Post a version that the vault sealed to intake, like an applicant's own program (docs/protocols.md §1).
 *
 * The same bytes are sent again until intake answers, so a lost answer makes no second version. The body is sent as
 * plain text: browsers then ask for no permission first, and intake reads the same JSON.
 */

import { section } from "#shared/dom.ts";
import { read, t, type Frame } from "#shared/page.ts";

interface SendingPage extends Frame {
  readonly url: string;
  readonly body: { readonly version: number };
}

const TIMEOUT_MS = 15_000;
const WAITS_MS = [1_000, 2_000, 4_000, 8_000, 16_000];
const RETRIED = new Set([408, 425, 429, 500, 502, 503, 504]);

const { url, body } = read<SendingPage>();

/** Send once. Return intake's status code; 0 where no answer came. */
async function post(): Promise<number> {
  try {
    const answer = await fetch(url, { method: "POST", body: JSON.stringify(body), credentials: "omit", signal: AbortSignal.timeout(TIMEOUT_MS) });
    return answer.status;
  } catch {
    return 0;
  }
}

/** Send until intake takes or refuses the version, or the waits are over. */
async function send(): Promise<number> {
  for (const wait of WAITS_MS) {
    const status = await post();
    if (status !== 0 && !RETRIED.has(status)) return status;
    await new Promise((done) => setTimeout(done, wait));
  }
  return post();
}

function outcome(status: number): string {
  if (status === 202) return "send.taken";
  return status === 409 ? "send.version-taken" : status === 0 || RETRIED.has(status) ? "send.unknown" : "send.refused";
}

const key = outcome(await send());
const said = section("sent");
said.textContent = t(key, { version: body.version });
said.classList.replace("state-unready", key === "send.taken" ? "state-open" : "state-late");
said.dataset["outcome"] = key;
