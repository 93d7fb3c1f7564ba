/** The manifest: the signed line that fixed list, rules and sources of chance before any chance existed (docs/protocols.md §2). */

import { canonical, Refused, type Json } from "./canonical.ts";

export interface ClassRule {
  readonly id: string;
  readonly capacity: number;
  /** Milliseconds since 1970. */
  readonly starts: number;
  readonly ends: number;
  readonly waiting: number;
}

export interface Rules {
  readonly maxWins: number;
  readonly preferences: boolean;
}

export interface Manifest {
  readonly line: string;
  readonly draw: string;
  readonly campaign: string;
  readonly rows: number;
  readonly root: string;
  readonly classes: readonly ClassRule[];
  readonly rules: Rules;
  readonly byClass: Readonly<Record<string, number>>;
  readonly byChannel: Readonly<Record<string, number>>;
  readonly frozenAt: string;
  readonly beacon: { readonly chain: string; readonly publicKey: string; readonly round: number } | null;
  readonly dice: { readonly digits: number; readonly witnesses: number } | null;
  readonly rehearsal: boolean;
}

type Members = Readonly<Record<string, any>>;

/** Throws where the line is not a manifest in canonical form. */
export function readManifest(line: string): Manifest {
  const content = JSON.parse(line) as Members;
  if (canonical(content as Json) !== line) throw new Refused("the manifest is not canonical JSON");
  if (content.v !== 1 || content.rules.groups !== "skip") throw new Refused("a version or rule this program does not know");
  const { beacon, dice } = content;
  if (beacon === null && dice === null) throw new Refused("the manifest names no source of chance");
  return {
    line,
    draw: content.draw,
    campaign: content.campaign,
    rows: content.rows,
    root: content.root,
    classes: content.classes.map(classRule),
    rules: { maxWins: content.rules.max_wins, preferences: content.rules.preferences },
    byClass: content.counts.class,
    byChannel: content.counts.channel,
    frozenAt: content.frozen_at,
    beacon: beacon === null ? null : { chain: beacon.chain, publicKey: beacon.public_key, round: beacon.round },
    dice: dice === null ? null : { digits: dice.digits, witnesses: dice.witnesses },
    rehearsal: content.rehearsal === true,
  };
}

function classRule(member: Members): ClassRule {
  const [starts, ends] = [Date.parse(member.starts), Date.parse(member.ends)];
  if (Number.isNaN(starts) || Number.isNaN(ends)) throw new Refused("a class without times");
  return { id: member.id, capacity: member.capacity, starts, ends, waiting: member.waiting };
}
