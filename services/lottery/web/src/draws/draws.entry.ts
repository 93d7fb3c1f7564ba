/** The page of one draw: kept as the server has it; its forms are sent as calls, listened for here because sections are replaced. */

import { section } from "#shared/dom.ts";
import { call } from "./calls.ts";
import { t } from "#shared/page.ts";
import { keepLive, refresh } from "./live.ts";
import { stampIn } from "./stamp.ts";
import { tryDraw } from "./trying.ts";

async function send(form: HTMLFormElement): Promise<void> {
  const said = form.querySelector<HTMLElement>(".call-answer");
  const path = form.dataset["path"];
  if (said === null || path === undefined) return;
  section("did").hidden = true;
  said.textContent = t("call.sending");
  const answer = await call(path, await filledIn(form));
  said.className = answer.ok ? "call-answer" : "call-answer refused";
  said.textContent = answer.ok ? "" : answer.text;
  if (answer.ok) await done(form);
}

/** Said at the top, where the new state is: the form may be gone by then. */
async function done(form: HTMLFormElement): Promise<void> {
  const heading = form.closest("section, details")?.querySelector("h2")?.textContent ?? "";
  form.reset();
  form.closest("details")?.removeAttribute("open");
  section("did").textContent = [heading, t("call.done")].filter((each) => each !== "").join(": ");
  section("did").hidden = false;
  section("content").focus({ preventScroll: true });
  window.scrollTo({ top: 0 });
  await refresh();
}

/** Texts as typed, ticks as true or false, a file as the stamp that it is. */
async function filledIn(form: HTMLFormElement): Promise<Record<string, string | boolean>> {
  const filled: Record<string, string | boolean> = {};
  for (const field of form.querySelectorAll<HTMLInputElement | HTMLSelectElement>("input, select")) {
    const [file] = field instanceof HTMLInputElement ? (field.files ?? []) : [];
    if (file !== undefined) Object.assign(filled, await stampIn(file));
    else filled[field.name] = field instanceof HTMLInputElement && field.type === "checkbox" ? field.checked : field.value;
  }
  return filled;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.classList.contains("call")) return;
  event.preventDefault();
  void send(form);
});
document.addEventListener("click", (event) => {
  if (event.target instanceof HTMLElement && event.target.id === "try") void tryDraw();
});
keepLive();
