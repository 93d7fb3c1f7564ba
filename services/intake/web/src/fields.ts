/** Read and write the fields of the form, and show mistakes at each field. */

import type { Choice, Draft, Field, Problem } from "./application.ts";
import { byId, el, section } from "#shared/dom.ts";
import { page, t } from "./page.ts";

const TYPED = ["name", "postal_code", "town", "street", "phone", "email", "age_or_grade", "age", "guardian"] as const;
type Typed = (typeof TYPED)[number];

export function control(field: Typed): HTMLInputElement | HTMLSelectElement {
  return field === "age_or_grade" ? byId(field, HTMLSelectElement) : byId(field, HTMLInputElement);
}

export function readDraft(choices: readonly Choice[]): Draft {
  const typed = Object.fromEntries(TYPED.map((field) => [field, control(field).value])) as Record<Typed, string>;
  return { ...typed, choices };
}

export function writeDraft(draft: Draft): void {
  for (const field of TYPED) control(field).value = draft[field] ?? "";
}

export function emptyForm(): void {
  for (const field of TYPED) control(field).value = "";
}

/** Show all mistakes: as a list of links above the form, which gets the focus, and below each field. */
export function showProblems(problems: readonly Problem[]): void {
  clearProblems();
  for (const problem of problems) showAtField(problem);
  const links = problems.map((problem) => {
    const link = el("a", { href: `#${target(problem.field)}` }, words(problem));
    return el("li", { "data-field": problem.field }, link);
  });
  byId("errors-heading", HTMLHeadingElement).textContent = t("form.errors", { count: problems.length });
  byId("errors-list", HTMLUListElement).replaceChildren(...links);
  section("errors").hidden = problems.length === 0;
  if (problems.length > 0) section("errors").focus();
}

/** Remove the mistake of a field that is being corrected; the next check shows it again if it remains. */
export function corrected(id: string): void {
  const field = ([...TYPED, "choices"] as const).find((each) => each === id);
  if (field === undefined || section(`${field}-error`).textContent === "") return;
  clearAtField(field);
  const list = byId("errors-list", HTMLUListElement);
  list.querySelector(`[data-field="${field}"]`)?.remove();
  section("errors").hidden = list.childElementCount === 0;
  byId("errors-heading", HTMLHeadingElement).textContent = t("form.errors", { count: list.childElementCount });
}

export function clearProblems(): void {
  for (const field of [...TYPED, "choices"] as const) clearAtField(field);
  section("errors").hidden = true;
}

function clearAtField(field: Field): void {
  section(`${field}-error`).textContent = "";
  section(`field-${field}`).classList.remove("wrong");
  document.getElementById(field)?.removeAttribute("aria-invalid");
}

function showAtField(problem: Problem): void {
  section(`${problem.field}-error`).textContent = words(problem);
  section(`field-${problem.field}`).classList.add("wrong");
  if (problem.field !== "choices") control(problem.field).setAttribute("aria-invalid", "true");
}

function words(problem: Problem): string {
  return t(`error.${problem.field}.${problem.code}`, { ...page.rules.residency });
}

/** Return the target of a link to the field: the control, or the group of classes. */
function target(field: Field): string {
  return field === "choices" ? "field-choices" : field;
}
