/** The page of one draw: kept as the server has it, and its forms are sent as calls. */

import { call } from "./calls.ts";
import { t } from "../../../../../shared/web/src/page.ts";
import { keepLive, refresh } from "./live.ts";

async function send(form: HTMLFormElement): Promise<void> {
  const said = form.querySelector<HTMLElement>(".call-answer");
  const path = form.dataset["path"];
  if (said === null || path === undefined) return;
  said.textContent = t("call.sending");
  const answer = await call(path, Object.fromEntries(new FormData(form)));
  said.className = answer.ok ? "call-answer" : "call-answer refused";
  said.textContent = answer.ok ? t("call.done") : answer.text;
  if (!answer.ok) return;
  form.reset();
  await refresh();
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.classList.contains("call")) return;
  event.preventDefault();
  void send(form);
});
keepLive();
