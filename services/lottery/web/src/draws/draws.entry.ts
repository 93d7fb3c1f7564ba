/** Program of a draw's page: keeps it current and sends its forms. It listens at the document because sections are replaced. */

import { section } from "#shared/dom.ts";
import { call } from "./calls.ts";
import { t } from "#shared/page.ts";
import { keepLive, refresh } from "#shared/live.ts";
import { hashFile } from "./evidence.ts";
import { readTimestamp } from "./stamp.ts";
import { runDryRun } from "./dry_run.ts";

async function send(form: HTMLFormElement): Promise<void> {
  const output = form.querySelector<HTMLElement>(".call-answer");
  const path = form.dataset["path"];
  if (output === null || path === undefined) return;
  section("did").hidden = true;
  output.textContent = t("call.sending");
  const answer = await call(path, await readForm(form));
  output.className = answer.ok ? "call-answer" : "call-answer refused";
  output.textContent = answer.ok ? "" : answer.text;
  if (answer.ok) await showDone(form);
}

/** Show success at the top, beside the new state: the form may be gone by then. */
async function showDone(form: HTMLFormElement): Promise<void> {
  const heading = form.closest("section, details")?.querySelector("h2")?.textContent ?? "";
  form.reset();
  form.closest("details")?.removeAttribute("open");
  section("did").textContent = [heading, t("call.done")].filter((part) => part !== "").join(": ");
  section("did").hidden = false;
  section("content").focus({ preventScroll: true });
  window.scrollTo({ top: 0 });
  await refresh();
}

/** Read the fields: texts as typed, check boxes as booleans, a file as a time stamp or as hashes, an approval as JSON. */
async function readForm(form: HTMLFormElement): Promise<Record<string, unknown>> {
  const filled: Record<string, unknown> = {};
  for (const pasted of form.querySelectorAll("textarea")) filled[pasted.name] = readDocument(pasted.value);
  for (const field of form.querySelectorAll<HTMLInputElement | HTMLSelectElement>("input, select")) {
    const files = field instanceof HTMLInputElement ? [...(field.files ?? [])] : [];
    const [file] = files;
    if (file !== undefined && field.name === "evidence") filled["evidence"] = await Promise.all(files.map(hashFile));
    else if (file !== undefined) Object.assign(filled, await readTimestamp(file));
    else filled[field.name] = field instanceof HTMLInputElement && field.type === "checkbox" ? field.checked : field.value;
  }
  return filled;
}

/** Return the document that was pasted; an empty one, which the server refuses, where the text is none. */
function readDocument(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.classList.contains("call")) return;
  event.preventDefault();
  void send(form);
});
document.addEventListener("click", (event) => {
  if (event.target instanceof HTMLElement && event.target.id === "try") void runDryRun();
});
keepLive();
