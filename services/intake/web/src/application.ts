/**
 * Check a draft for everything that the vault would refuse, and make the content to seal.
 *
 * Pure. tests/cases/applications.json is run here and in the vault, so that the two cannot drift apart.
 */

import { joinAddress } from "./address.ts";
import { GRADES, type Grade, type Rules } from "./campaign.ts";
import { isMinor, mayTake, type AgeOrGrade } from "./eligibility.ts";
import * as normalise from "./normalise.ts";
import { residence } from "./residence.ts";

/** Typed values of the fields; `age_or_grade` is a grade, `age`, or empty while nothing is chosen. */
export interface Draft {
  readonly name: string;
  readonly postal_code: string;
  readonly town: string;
  readonly street: string;
  readonly phone: string;
  readonly email: string;
  readonly age_or_grade: string;
  readonly age: string;
  readonly guardian: string;
  readonly choices: readonly Choice[];
}

/** A chosen class; the order of choices is the order of preference. */
export interface Choice {
  readonly class: string;
  readonly seats: number;
}

export type Field = keyof Draft;

/** Mistake in a field; the texts are in the catalogue as `error.<field>.<code>`. */
export interface Problem {
  readonly field: Field;
  readonly code: "required" | "form" | "too-long" | "not-resident" | "seats" | "not-eligible" | "too-many";
}

const LONGEST = { name: 80, address: 200, email: 254, choices: 20 } as const;
const OLDEST = 120;
const POSTAL_CODE = /^[0-9]{7}$/u;
const PHONE = /^0[0-9]{9,10}(?:#[0-9]{1,6})?$/u;
const EMAIL = new RegExp(
  "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\\.[A-Za-z0-9-]+)+$",
  "u",
);

/** Return the person's grade or age, or null while neither has a usable form. */
export function readAgeOrGrade(draft: Draft): AgeOrGrade | null {
  if (isGrade(draft.age_or_grade)) return { grade: draft.age_or_grade };
  const age = normalise.age(draft.age);
  return draft.age_or_grade === "age" && age <= OLDEST ? { age } : null;
}

/** Return true if a guardian's name is needed; false while age and grade are unknown. */
export function needsGuardian(draft: Draft): boolean {
  const ageOrGrade = readAgeOrGrade(draft);
  return ageOrGrade !== null && isMinor(ageOrGrade);
}

/** Return all mistakes in the order of the form; none if the vault will accept the application. */
export function problems(draft: Draft, rules: Rules, municipalities: readonly string[]): Problem[] {
  return [
    ...text("name", normalise.display(draft.name), LONGEST.name),
    ...pattern("postal_code", normalise.postalCode(draft.postal_code), POSTAL_CODE),
    ...addressProblems(draft, rules, municipalities),
    ...pattern("phone", normalise.phone(draft.phone), PHONE),
    ...ageOrGradeProblems(draft),
    ...(needsGuardian(draft) ? text("guardian", normalise.display(draft.guardian), LONGEST.name) : []),
    ...emailProblems(normalise.email(draft.email)),
    ...choiceProblems(draft, rules),
  ];
}

/** Return the content to seal (docs/protocols.md §1). The draft must have no mistakes. */
export function plaintext(draft: Draft, rules: Rules, code: string): Record<string, unknown> {
  const ageOrGrade = readAgeOrGrade(draft);
  const email = normalise.email(draft.email);
  return {
    v: 2,
    code,
    purpose_version: rules.purpose_version,
    applicant: {
      name: normalise.display(draft.name),
      postal_code: normalise.postalCode(draft.postal_code),
      address: joinedAddress(draft),
      phone: normalise.phone(draft.phone),
      ...ageOrGrade,
      ...(email === "" ? {} : { email }),
    },
    ...(needsGuardian(draft) ? { guardian: { name: normalise.display(draft.guardian) } } : {}),
    choices: draft.choices.map((choice) => ({ class: choice.class, seats: choice.seats })),
  };
}

/** Return the content of a withdrawal. */
export function withdrawal(code: string): Record<string, unknown> {
  return { v: 2, withdraw: true, code };
}

export function joinedAddress(draft: Draft): string {
  return joinAddress(draft.town, draft.street);
}

function addressProblems(draft: Draft, rules: Rules, municipalities: readonly string[]): Problem[] {
  const empty = (["town", "street"] as const).filter((field) => normalise.display(draft[field]) === "");
  if (empty.length > 0) return empty.map((field) => ({ field, code: "required" }));
  const address = joinedAddress(draft);
  if (length(address) > LONGEST.address) return [{ field: "street", code: "too-long" }];
  const lives = residence(address, municipalities, rules.residency);
  return lives === "elsewhere" ? [{ field: "town", code: "not-resident" }] : [];
}

function ageOrGradeProblems(draft: Draft): Problem[] {
  if (readAgeOrGrade(draft) !== null) return [];
  if (draft.age_or_grade !== "age") return [{ field: "age_or_grade", code: "required" }];
  return [{ field: "age", code: normalise.display(draft.age) === "" ? "required" : "form" }];
}

function emailProblems(email: string): Problem[] {
  if (email === "") return [];
  return EMAIL.test(email) && length(email) <= LONGEST.email ? [] : [{ field: "email", code: "form" }];
}

function choiceProblems(draft: Draft, rules: Rules): Problem[] {
  const ageOrGrade = readAgeOrGrade(draft);
  if (draft.choices.length === 0) return [{ field: "choices", code: "required" }];
  if (draft.choices.length > LONGEST.choices) return [{ field: "choices", code: "too-many" }];
  const codes = draft.choices.map((choice) => choiceProblem(choice, ageOrGrade, rules));
  const code = codes.find((found) => found !== null);
  return code ? [{ field: "choices", code }] : [];
}

function choiceProblem(choice: Choice, ageOrGrade: AgeOrGrade | null, rules: Rules): "not-eligible" | "seats" | null {
  const wanted = rules.classes.find((eventClass) => eventClass.id === choice.class);
  if (wanted === undefined || (ageOrGrade !== null && !mayTake(ageOrGrade, wanted))) return "not-eligible";
  return wanted.seats.includes(choice.seats) ? null : "seats";
}

function text(field: Field, value: string, longest: number): Problem[] {
  if (value === "") return [{ field, code: "required" }];
  return length(value) > longest ? [{ field, code: "too-long" }] : [];
}

function pattern(field: Field, value: string, form: RegExp): Problem[] {
  if (value === "") return [{ field, code: "required" }];
  return form.test(value) ? [] : [{ field, code: "form" }];
}

/** Return the number of code points, which the vault counts, too. */
function length(value: string): number {
  return [...value].length;
}

function isGrade(value: string): value is Grade {
  return (GRADES as readonly string[]).includes(value);
}
