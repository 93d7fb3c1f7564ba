/** Calls of the keying page to the vault's `/v1`. Nothing is cached: a paper lives in this tab's memory only. */

import { read, type Frame } from "#shared/page.ts";

export type Mark = "empty" | "unreadable";
export type FieldName = "name" | "postal_code" | "address" | "phone" | "age_or_grade" | "guardian" | "choices";

export interface Choice {
  readonly class: string;
  readonly seats: number;
}

export interface Form {
  readonly v: 2;
  readonly purpose_version: string;
  readonly applicant: Readonly<Record<string, string | number>>;
  readonly guardian?: { readonly name: string };
  readonly choices?: readonly Choice[];
}

/** What one person keyed: applications with the marks of fields without a value, or a reason why there is none. */
export interface Content {
  readonly decision: "keyed" | "discarded";
  readonly reason: string | null;
  readonly applications: readonly Form[];
  readonly marks: readonly Readonly<Partial<Record<FieldName, Mark>>>[];
}

export interface Paper {
  readonly id: string;
  readonly serial: string;
  readonly channel: "fax" | "post";
  readonly received_at: string;
  readonly state: string;
  readonly pages: number;
  readonly look: "first" | "second" | "third";
  readonly versions: readonly Content[];
  readonly open: readonly (readonly [number, FieldName])[] | null;
}

export interface EventClass {
  readonly id: string;
  readonly key: string;
  readonly number: number;
  readonly title: string;
  readonly seats: readonly number[];
}

export interface KeyingPage extends Frame {
  readonly base: string;
  readonly purpose_version: string;
  readonly classes: readonly EventClass[];
  readonly discard_reasons: readonly string[];
}

/** Place of a field on the first page, in parts of its width and height: left, top, width, height. */
export type Box = readonly [number, number, number, number];

/** Town of a postal code. */
export interface Town {
  readonly prefecture: string;
  readonly municipality: string;
  readonly town: string;
}

export const page = read<KeyingPage>();
const tab = crypto.randomUUID();

/** Thrown when the vault refuses; `code` is the last part of the problem's type, `title` and `detail` are for people. */
export class Refusal extends Error {
  constructor(readonly status: number, readonly code: string, readonly title: string, readonly detail: string, readonly position: number) {
    super(code);
  }
}

/** Ask for the next paper; null if there is none. `have`: the one on the screen, while the next is loaded ahead. */
export async function takeNext(have: readonly string[]): Promise<Paper | null> {
  const answer = await call<{ readonly paper: Paper | null }>("POST", `${page.base}/next`, { tab, have });
  return answer.paper;
}

/** Send what was keyed. Throws Refusal. */
export async function submit(paper: Paper, content: Content): Promise<void> {
  const { decision, applications, marks, reason } = content;
  const keyed = decision === "keyed" ? { decision, applications, marks } : { decision, reason };
  await call("POST", `${page.base}/${paper.id}`, { ...keyed, tab });
}

/** A seeded paper: its file as base64, and what is written on it. `id`: the same when the request is sent again. */
export interface Seeded {
  readonly id: string;
  readonly channel: string;
  readonly serial: string;
  readonly file: string;
  readonly known: Pick<Content, "decision" | "applications" | "marks">;
}

/** Store a seeded paper; return how many the campaign has now. Throws Refusal. */
export async function storeSeeded(seeded: Seeded): Promise<number> {
  return (await call<{ readonly papers: number }>("POST", page.base, seeded)).papers;
}

/** Return the paper to the pool; also while the page is being left. */
export async function giveBack(paper: Paper): Promise<void> {
  await call("POST", `${page.base}/${paper.id}/return`, { tab }, true);
}

export function pictureAddress(paper: Paper, number: number): string {
  return `${page.base}/${paper.id}/pages/${number}?tab=${tab}`;
}

/** Return the places of the fields on our own sheet; nothing where the paper is another one. */
export async function fieldBoxes(paper: Paper): Promise<Readonly<Partial<Record<FieldName, Box>>>> {
  if (paper.pages === 0) return {};
  try {
    const answer = await call<{ readonly fields: Partial<Record<FieldName, Box>> }>("GET", `${page.base}/${paper.id}/fields?tab=${tab}`);
    return answer.fields;
  } catch {
    return {};
  }
}

/** Return the towns of seven digits; none where the code is unknown or the vault is away. */
export async function towns(code: string): Promise<readonly Town[]> {
  try {
    return (await call<{ readonly towns: readonly Town[] }>("GET", `/v1/postal-codes/${code}`)).towns;
  } catch {
    return [];
  }
}

/** Return other forms of a character, the characters of a reading, or those of several parts (木目), that a card can show; none while the vault is away. */
export async function charactersLike(character: string): Promise<readonly string[]> {
  try {
    return (await call<{ readonly characters: readonly string[] }>("GET", `/v1/characters?like=${encodeURIComponent(character)}`)).characters;
  } catch {
    return [];
  }
}

interface ProblemDocument {
  readonly type?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly position?: number;
}

async function call<Answer>(method: "GET" | "POST", path: string, body?: unknown, keepalive = false): Promise<Answer> {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(path, { method, cache: "no-store", keepalive, ...(body === undefined ? {} : { headers, body: JSON.stringify(body) }) });
  if (answer.ok) return (await answer.json()) as Answer;
  const problem = (await answer.json().catch(() => ({}))) as ProblemDocument;
  throw new Refusal(answer.status, problem.type?.split(":").pop() ?? "", problem.title ?? "", problem.detail ?? "", problem.position ?? 0);
}
