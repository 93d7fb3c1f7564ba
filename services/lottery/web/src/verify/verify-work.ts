/** The computing, away from the page, so that it never stands still: a transcript in, checks and paths out. */

import type { Json } from "./canonical.ts";
import { checks, type Check, type Opened } from "./checks.ts";
import { follow, type Path } from "./path.ts";

export type Asked =
  | { readonly kind: "verify"; readonly content: string; readonly rows: string | null; readonly published: string | null }
  | { readonly kind: "follow"; readonly entry: string };

export interface Facts {
  readonly draw: string;
  readonly campaign: string;
  readonly entries: number;
  readonly frozenAt: string;
  readonly dice: string | null;
  readonly witnesses: readonly string[];
  readonly round: number | null;
  readonly key: string;
  readonly rehearsal: boolean;
}

export type Said =
  | { readonly kind: "check"; readonly check: Check }
  | { readonly kind: "verified"; readonly facts: Facts | null }
  | { readonly kind: "path"; readonly path: Path | null };

const work = globalThis as unknown as {
  onmessage: ((event: MessageEvent<Asked>) => void) | null;
  postMessage(said: Said): void;
};

let opened: Opened | null = null;

work.onmessage = (event) => {
  void (event.data.kind === "verify" ? verify(event.data) : follows(event.data.entry));
};

async function verify(asked: Asked & { kind: "verify" }): Promise<void> {
  const content = parsed(asked.content);
  const going = checks(content, asked.rows, asked.published);
  for (let step = await going.next(); ; step = await going.next()) {
    if (step.done) {
      opened = step.value;
      break;
    }
    work.postMessage({ kind: "check", check: step.value });
  }
  work.postMessage({ kind: "verified", facts: opened === null ? null : facts(opened, content as Record<string, never>) });
}

async function follows(entry: string): Promise<void> {
  work.postMessage({ kind: "path", path: opened === null ? null : await follow(opened, entry) });
}

/** What is not JSON fails its first check. */
function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

function facts({ manifest, entries }: Opened, content: Readonly<Record<string, any>>): Facts {
  return {
    draw: manifest.draw,
    campaign: manifest.campaign,
    entries: entries.length,
    frozenAt: manifest.frozenAt,
    dice: content.dice,
    witnesses: content.witnesses,
    round: manifest.beacon?.round ?? null,
    key: content.signing_key,
    rehearsal: manifest.rehearsal,
  };
}
