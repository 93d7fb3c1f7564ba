/** The page of one draw: kept as the server has it; its forms are sent as calls, listened for here because sections are replaced. */

import { section } from "../../../../../shared/web/src/dom.ts";
import { call } from "./calls.ts";
import { t } from "../../../../../shared/web/src/page.ts";
import { keepLive, refresh } from "./live.ts";
import { tryDraw } from "./trying.ts";

async function send(form: HTMLFormElement): Promise<void> {
  const said = form.querySelector<HTMLElement>(".call-answer");
  const path = form.dataset["path"];
  if (said === null || path === undefined) return;
  said.textContent = t("call.sending");
  const answer = await call(path, filledIn(form));
  said.className = answer.ok ? "call-answer" : "call-answer refused";
  said.textContent = answer.ok ? t("call.done") : answer.text;
  if (!answer.ok) return;
  form.reset();
  form.closest("details")?.removeAttribute("open");
  section("content").focus({ preventScroll: true });
  await refresh();
}

/** Texts as typed, ticks as true or false. */
function filledIn(form: HTMLFormElement): Record<string, string | boolean> {
  const fields = [...form.querySelectorAll("input")];
  return Object.fromEntries(fields.map((field) => [field.name, field.type === "checkbox" ? field.checked : field.value]));
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
