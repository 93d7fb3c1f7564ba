/** One application as it is being keyed: typed texts, marks and choices; its form, and what is still wrong. Pure. */

import type { Choice, Content, FieldName, Form, Mark } from "./calls.ts";

export const FIELDS: readonly FieldName[] = ["name", "postal_code", "address", "phone", "age_or_grade", "guardian", "choices"];
export type TextField = Exclude<FieldName, "choices">;

export interface Sheet {
  readonly texts: Record<TextField, string>;
  readonly marks: Partial<Record<FieldName, Mark>>;
  /** Fields taken from the person before on the same paper; Enter goes past them. */
  readonly copied: Set<FieldName>;
  choices: Choice[];
}

/** Fields that people on one paper mostly share. */
const SHARED: readonly TextField[] = ["postal_code", "address", "phone", "guardian"];

export function emptySheet(): Sheet {
  return { texts: { name: "", postal_code: "", address: "", phone: "", age_or_grade: "", guardian: "" }, marks: {}, copied: new Set(), choices: [] };
}

/** Return a sheet for the next person on the same paper: address, telephone and guardian, with their marks, of the one before. */
export function nextPerson(before: Sheet): Sheet {
  const next = emptySheet();
  for (const field of SHARED) {
    const mark = before.marks[field];
    if (mark !== undefined) next.marks[field] = mark;
    next.texts[field] = before.texts[field];
    if (mark !== undefined || before.texts[field] !== "") next.copied.add(field);
  }
  return next;
}

export type AgeOrGrade = { readonly age: number } | { readonly grade: string };

const PUPIL = /^(?:小学?|s|p)([1-6])$/iu;
const JUNIOR = /^(?:中学?|c|t|j)([1-3])$/iu;
const YEARS = /^([0-9]{1,3})$/u;
const OLDEST = 120;
const ADULT = 20;

/** Read 小3, s3 (primary school), 中1, c1 (junior high) or an age; null for anything else. */
export function readAgeOrGrade(text: string): AgeOrGrade | null {
  const plain = text.normalize("NFKC").replace(/\s+/gu, "").replace(/(?:年生|年|歳|才)$/u, "");
  const [pupil, junior, years] = [PUPIL.exec(plain), JUNIOR.exec(plain), YEARS.exec(plain)];
  if (pupil !== null) return { grade: `p${pupil[1]}` };
  if (junior !== null) return { grade: `j${junior[1]}` };
  const age = Number(years?.[1] ?? NaN);
  return age <= OLDEST ? { age } : null;
}

/** True where the guardian's name is collected: pupils, and people under 20 (R-D2). */
export function needsGuardian(sheet: Sheet): boolean {
  const read = readAgeOrGrade(sheet.texts.age_or_grade);
  return read === null || !("age" in read) || read.age < ADULT;
}

export function digits(text: string): string {
  return text.normalize("NFKC").replace(/[\s〒()[\]./・‐‑‒–—―−ｰー─━-]+/gu, "");
}

const EXTENSION = /(?:#|内線|内|ext\.?|x)/iu;

/** True for a telephone number, with or without an extension (内線). */
export function isPhone(text: string): boolean {
  const [number, extension, ...more] = digits(text).split(EXTENSION);
  const national = (number ?? "").replace(/^\+81/u, "0");
  return /^0[0-9]{9,10}$/u.test(national) && more.length === 0 && (extension === undefined || /^[0-9]{1,6}$/u.test(extension));
}

/** Return the fields whose value the vault would refuse; a marked field has none. */
export function wrongFields(sheet: Sheet): FieldName[] {
  const { texts } = sheet;
  const right: Readonly<Record<FieldName, boolean>> = {
    name: texts.name.trim() !== "",
    postal_code: /^[0-9]{7}$/u.test(digits(texts.postal_code)),
    address: texts.address.trim() !== "",
    phone: isPhone(texts.phone),
    age_or_grade: readAgeOrGrade(texts.age_or_grade) !== null,
    guardian: !needsGuardian(sheet) || texts.guardian.trim() !== "",
    choices: sheet.choices.length > 0,
  };
  return FIELDS.filter((field) => !right[field] && sheet.marks[field] === undefined);
}

/** Return the form of the sheet; fields that are marked have no value. */
export function formOf(sheet: Sheet, purposeVersion: string): Form {
  const { texts, marks } = sheet;
  const given = (field: TextField): boolean => marks[field] === undefined;
  const plain = (["name", "postal_code", "address", "phone"] as const).filter(given).map((field) => [field, texts[field].trim()] as const);
  const age = given("age_or_grade") ? (readAgeOrGrade(texts.age_or_grade) ?? {}) : {};
  const guardian = needsGuardian(sheet) && given("guardian") ? { guardian: { name: texts.guardian.trim() } } : {};
  const choices = marks.choices === undefined ? { choices: sheet.choices } : {};
  return { v: 2, purpose_version: purposeVersion, applicant: { ...Object.fromEntries(plain), ...age }, ...guardian, ...choices };
}

/** Return the sheets of what another person keyed, for the third look. */
export function sheetsOf(content: Content): Sheet[] {
  return content.applications.map((form, position) => {
    const { applicant } = form;
    const text = (name: string): string => String(applicant[name] ?? "");
    const grade = text("grade").replace(/^p/u, "小").replace(/^j/u, "中");
    const texts = {
      name: text("name"), postal_code: text("postal_code"), address: text("address"), phone: text("phone"),
      age_or_grade: grade === "" ? text("age") : grade, guardian: form.guardian?.name ?? "",
    };
    return { texts, marks: { ...content.marks[position] }, copied: new Set(), choices: [...(form.choices ?? [])] };
  });
}

/** Return a copy that can be changed. */
export function copyOf(sheet: Sheet): Sheet {
  return { texts: { ...sheet.texts }, marks: { ...sheet.marks }, copied: new Set(sheet.copied), choices: [...sheet.choices] };
}

/** Return the field's value in words, for comparing two keyings. */
export function inWords(sheet: Sheet, field: FieldName, titles: ReadonlyMap<string, string>): string {
  if (field !== "choices") return sheet.texts[field];
  return sheet.choices.map(({ class: id, seats }, index) => `${index + 1}. ${titles.get(id) ?? id} (${seats})`).join("\n");
}

/** Cut two texts into their common beginning, what differs, and their common end. */
export function difference(one: string, other: string): readonly [readonly [string, string, string], readonly [string, string, string]] {
  const [left, right] = [[...one], [...other]];
  let start = 0;
  while (start < Math.min(left.length, right.length) && left[start] === right[start]) start += 1;
  let end = 0;
  while (end < Math.min(left.length, right.length) - start && left[left.length - 1 - end] === right[right.length - 1 - end]) end += 1;
  const cut = (text: readonly string[]): [string, string, string] =>
    [text.slice(0, start).join(""), text.slice(start, text.length - end).join(""), text.slice(text.length - end).join("")];
  return [cut(left), cut(right)];
}
