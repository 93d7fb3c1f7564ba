/**
 * From what was typed to what is sealed: checks everything the vault would refuse, and says it at the field.
 *
 * Pure. tests/cases/applications.json is run here and in the vault, so that the two cannot drift apart.
 */

import { joinAddress } from "./address.ts";
import { GRADES, type Grade, type Rules } from "./campaign.ts";
import { isMinor, mayTake, type Standing } from "./eligibility.ts";
import * as normalise from "./normalise.ts";
import { residence } from "./residence.ts";

/** As typed, member by member; `standing` is a grade, `age`, or empty while nothing is chosen. */
export interface Draft {
  readonly name: string;
  readonly postal_code: string;
  readonly town: string;
  readonly street: string;
  readonly phone: string;
  readonly email: string;
  readonly standing: string;
  readonly age: string;
  readonly guardian: string;
  readonly choices: readonly Choice[];
}

/** A class asked for; their order is the order of preference. */
export interface Choice {
  readonly class: string;
  readonly seats: number;
}

export type Field = keyof Draft;

/** What is wrong with a field; the texts are in the catalogue as `error.<field>.<code>`. */
export interface Problem {
  readonly field: Field;
  readonly code: "required" | "form" | "too-long" | "not-resident" | "seats" | "not-eligible" | "too-many";
}

const LONGEST = { name: 80, address: 200, email: 254, choices: 20 } as const;
const OLDEST = 120;
const POSTAL_CODE = /^[0-9]{7}$/u;
const PHONE = /^0[0-9]{9,10}$/u;
const EMAIL = new RegExp(
  "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\\.[A-Za-z0-9-]+)+$",
  "u",
);

/** The person's grade or age, or null while neither is given in a usable form. */
export function standingOf(draft: Draft): Standing | null {
  if (isGrade(draft.standing)) return { grade: draft.standing };
  const age = normalise.age(draft.age);
  return draft.standing === "age" && age <= OLDEST ? { age } : null;
}

/** Whether the guardian's name is asked for; false while nobody can tell. */
export function needsGuardian(draft: Draft): boolean {
  const standing = standingOf(draft);
  return standing !== null && isMinor(standing);
}

/** Everything that is wrong, in the order of the form; nothing where the vault will take it. */
export function problems(draft: Draft, rules: Rules, municipalities: readonly string[]): Problem[] {
  return [
    ...text("name", normalise.display(draft.name), LONGEST.name),
    ...pattern("postal_code", normalise.postalCode(draft.postal_code), POSTAL_CODE),
    ...addressProblems(draft, rules, municipalities),
    ...pattern("phone", normalise.phone(draft.phone), PHONE),
    ...standingProblems(draft),
    ...(needsGuardian(draft) ? text("guardian", normalise.display(draft.guardian), LONGEST.name) : []),
    ...emailProblems(normalise.email(draft.email)),
    ...choiceProblems(draft, rules),
  ];
}

/** What is sealed (docs/protocols.md §1). Only for a draft without problems. */
export function plaintext(draft: Draft, rules: Rules): Record<string, unknown> {
  const standing = standingOf(draft);
  const email = normalise.email(draft.email);
  return {
    v: 1,
    purpose_version: rules.purpose_version,
    applicant: {
      name: normalise.display(draft.name),
      postal_code: normalise.postalCode(draft.postal_code),
      address: addressOf(draft),
      phone: normalise.phone(draft.phone),
      ...standing,
      ...(email === "" ? {} : { email }),
    },
    ...(needsGuardian(draft) ? { guardian: { name: normalise.display(draft.guardian) } } : {}),
    choices: draft.choices.map((choice) => ({ class: choice.class, seats: choice.seats })),
  };
}

export function addressOf(draft: Draft): string {
  return joinAddress(draft.town, draft.street);
}

function addressProblems(draft: Draft, rules: Rules, municipalities: readonly string[]): Problem[] {
  const found = (["town", "street"] as const).filter((field) => normalise.display(draft[field]) === "");
  if (found.length > 0) return found.map((field) => ({ field, code: "required" }));
  const address = addressOf(draft);
  if (length(address) > LONGEST.address) return [{ field: "street", code: "too-long" }];
  const lives = residence(address, municipalities, rules.residency);
  return lives === "elsewhere" ? [{ field: "town", code: "not-resident" }] : [];
}

function standingProblems(draft: Draft): Problem[] {
  if (standingOf(draft) !== null) return [];
  if (draft.standing !== "age") return [{ field: "standing", code: "required" }];
  return [{ field: "age", code: normalise.display(draft.age) === "" ? "required" : "form" }];
}

function emailProblems(email: string): Problem[] {
  if (email === "") return [];
  return EMAIL.test(email) && length(email) <= LONGEST.email ? [] : [{ field: "email", code: "form" }];
}

function choiceProblems(draft: Draft, rules: Rules): Problem[] {
  const standing = standingOf(draft);
  if (draft.choices.length === 0) return [{ field: "choices", code: "required" }];
  if (draft.choices.length > LONGEST.choices) return [{ field: "choices", code: "too-many" }];
  const codes = draft.choices.map((choice) => choiceProblem(choice, standing, rules));
  const code = codes.find((each) => each !== null);
  return code ? [{ field: "choices", code }] : [];
}

function choiceProblem(choice: Choice, standing: Standing | null, rules: Rules): "not-eligible" | "seats" | null {
  const wanted = rules.classes.find((each) => each.id === choice.class);
  if (wanted === undefined || (standing !== null && !mayTake(standing, wanted))) return "not-eligible";
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

/** Characters as people count them, which is also how the vault counts. */
function length(value: string): number {
  return [...value].length;
}

function isGrade(value: string): value is Grade {
  return (GRADES as readonly string[]).includes(value);
}
