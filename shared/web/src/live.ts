/**
 * Live page: fetches itself every few seconds and replaces the sections that changed.
 * The browser parses the answer as a separate document: no script runs and no HTML text enters this page.
 */

import { section } from "./dom.ts";
import { t } from "./page.ts";

const EVERY_MS = 3_000;
const TIMEOUT_MS = 10_000;

export function keepLive(): void {
  const again = (): void => {
    const due = document.visibilityState === "visible" ? refresh() : Promise.resolve();
    void due.finally(() => window.setTimeout(again, EVERY_MS));
  };
  window.setTimeout(again, EVERY_MS);
}

/** Fetch the page and replace changed sections. Show a notice if the server is away or the session is over. */
export async function refresh(): Promise<void> {
  try {
    const fetched = await fetchPage();
    if (fetched === "signed-out") {
      showAway(t("call.signed-out"));
      return;
    }
    const sections = [...document.querySelectorAll<HTMLElement>("[data-live]")];
    const found = sections.map((old) => [old, fetched.getElementById(old.id)] as const);
    for (const [old, fresh] of found) if (fresh !== null) replaceContent(old, fresh);
    showAway("");
  } catch {
    showAway(t("live.away"));
  }
}

function fetchPage(): Promise<Document | "signed-out"> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", window.location.pathname);
    request.responseType = "document";
    request.timeout = TIMEOUT_MS;
    request.onload = () => {
      if (request.status === 401) resolve("signed-out");
      else if (request.status === 200 && request.responseXML !== null) resolve(request.responseXML);
      else reject(new Error());
    };
    request.onerror = request.ontimeout = () => reject(new Error());
    request.send();
  });
}

function replaceContent(old: HTMLElement, fresh: HTMLElement): void {
  if (old.innerHTML === fresh.innerHTML || isInUse(old)) return;
  const focused = old.contains(document.activeElement) ? document.activeElement?.id : undefined;
  old.replaceChildren(...[...fresh.childNodes].map((node) => document.importNode(node, true)));
  if (focused !== undefined && focused !== "") document.getElementById(focused)?.focus({ preventScroll: true });
  if (old.hasAttribute("data-tells")) section("told").textContent = old.textContent?.replace(/\s+/gu, " ").trim() ?? "";
}

/** Return true if the user typed, ticked or opened something in the section, which a replacement would lose. */
function isInUse(old: HTMLElement): boolean {
  const fields = [...old.querySelectorAll("input")];
  const changed = (field: HTMLInputElement): boolean => (field.type === "checkbox" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue);
  return fields.some((field) => field === document.activeElement || changed(field)) || old.querySelector("details[open]") !== null;
}

function showAway(text: string): void {
  const shown = section("away");
  if (shown.textContent !== text) shown.textContent = text;
  shown.hidden = text === "";
}
