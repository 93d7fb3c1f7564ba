/** Describe a draft and its choices in words, for the confirmation and the receipt. */

import { joinedAddress, needsGuardian, readAgeOrGrade, type Choice, type Draft } from "./application.ts";
import type { Rules } from "./campaign.ts";
import { display, email, phone, postalCode } from "./normalise.ts";
import { t } from "./page.ts";

/** Return names and values of everything that the draft would send. */
export function describeDraft(draft: Draft, rules: Rules): readonly (readonly [string, string])[] {
  const guardian = needsGuardian(draft) ? [[t("form.guardian"), display(draft.guardian)] as const] : [];
  return [
    [t("form.name"), display(draft.name)],
    [t("form.age_or_grade"), describeAge(draft)],
    ...guardian,
    [t("form.postal_code"), postalCode(draft.postal_code).replace(/^(.{3})/u, "$1-")],
    [t("confirm.address"), joinedAddress(draft)],
    [t("form.phone"), phone(draft.phone)],
    [t("form.email"), email(draft.email) || t("confirm.no-email")],
    ...draft.choices.map((choice, index) => [describeRank(index, rules), describeChoice(choice, rules)] as const),
  ];
}

/** Return the choices in words, with their ranks where the campaign has preferences. */
export function describeChoices(choices: readonly Choice[], rules: Rules): readonly string[] {
  const rank = (index: number): string => (rules.preferences ? `${describeRank(index, rules)} ` : "");
  return choices.map((choice, index) => rank(index) + describeChoice(choice, rules));
}

function describeAge(draft: Draft): string {
  const ageOrGrade = readAgeOrGrade(draft);
  if (ageOrGrade === null) return "";
  return "grade" in ageOrGrade ? t(`grade.${ageOrGrade.grade}`) : `${ageOrGrade.age} ${t("form.age.unit")}`;
}

function describeRank(index: number, rules: Rules): string {
  return rules.preferences ? t("form.choices.rank", { rank: index + 1 }) : t("form.choices");
}

function describeChoice(choice: Choice, rules: Rules): string {
  const chosen = rules.classes.find((eventClass) => eventClass.id === choice.class);
  const people = choice.seats > 1 ? ` (${t("form.choices.people", { seats: choice.seats })})` : "";
  return `${chosen?.number ?? ""} ${chosen?.title ?? choice.class}${people} — ${chosen?.when ?? ""}`;
}
