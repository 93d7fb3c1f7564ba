/** The manifest: the verifyBeacon line that fixed list, rules and sources of chance before the draw (docs/protocols.md §2). */

import { canonical, InvalidRecordError, type Json } from "./canonical.ts";
import { instant, type Instant } from "./instants.ts";
import { OWN_CHAIN, QUICKNET } from "./quicknet.ts";

export interface ClassRule {
  readonly id: string;
  readonly capacity: number;
  readonly starts: Instant;
  readonly ends: Instant;
  readonly waiting: number;
}

export type Scope = "asked" | "everybody";

export interface Rules {
  readonly maxWins: number;
  readonly preferences: boolean;
}

/** Rules for freed seats. A time that is null stands for the start of the class. */
export interface Promotion {
  readonly holdUntil: Instant | null;
  /** Hours to answer an offer; 0: the next entry holds the place at once. */
  readonly offerHours: number;
  readonly offersUntil: Instant | null;
}

/** A round of quicknet, or of a rehearsal's own chain, which has its own times. */
export interface BeaconRound {
  readonly chain: string;
  readonly publicKey: string;
  readonly round: number;
  readonly genesis_s: number;
  readonly period_s: number;
}

export interface Manifest {
  readonly line: string;
  readonly draw: string;
  readonly campaign: string;
  readonly rows: number;
  readonly root: string;
  /** Number of receipts, and Merkle root of their roll (hex). */
  readonly receipts: { readonly count: number; readonly root: string };
  readonly classes: readonly ClassRule[];
  readonly rules: Rules;
  /** Who takes part in further rounds, as the first manifest fixes it. */
  readonly scope: Scope;
  readonly byClass: Readonly<Record<string, number>>;
  readonly byChannel: Readonly<Record<string, number>>;
  readonly frozenAt: string;
  readonly objectionsUntil: Instant;
  readonly promotion: Promotion;
  readonly beacon: BeaconRound;
  readonly dice: { readonly digits: number; readonly witnesses: number } | null;
  /** Public key of the vault, which signs the acts of witnesses; null without them. */
  readonly vaultKey: string | null;
  readonly rehearsal: boolean;
  readonly override: { readonly held: number; readonly undecided: number; readonly reason: string } | null;
  readonly previous: { readonly draw: string; readonly reason: string } | null;
  /** Null except for a further round. */
  readonly further: Further | null;
}

/** Facts of a further round. `free`: seats that it draws by class; `extra`: seats that corrections added before. */
export interface Further {
  readonly scope: Scope;
  readonly continues: string;
  /** SHA-256 (hex) of the manifest, and of the last event, of the draw that it continues. */
  readonly manifestSha256: string;
  readonly historySha256: string;
  readonly places: { readonly count: number; readonly root: string };
  readonly free: Readonly<Record<string, number>>;
  readonly extra: Readonly<Record<string, number>>;
}

/** Digits that each witness enters. */
export const DIGITS = 20;

type Members = Readonly<Record<string, any>>;

/** Read a manifest. Throws InvalidRecordError unless it is canonical JSON of a known version. */
export function readManifest(line: string): Manifest {
  const content = JSON.parse(line) as Members;
  if (canonical(content as Json) !== line) throw new InvalidRecordError("the manifest is not canonical JSON");
  if (content.v !== 2 || content.rules.groups !== "skip") throw new InvalidRecordError("a version or rule this program does not know");
  const { beacon, dice } = content;
  if (beacon === null) throw new InvalidRecordError("the manifest names no beacon");
  if (dice !== null && !(dice.witnesses >= 2 && dice.digits === DIGITS * dice.witnesses)) {
    throw new InvalidRecordError("the manifest does not ask at least two witnesses for twenty digits each");
  }
  return {
    line,
    draw: content.draw,
    campaign: content.campaign,
    rows: content.rows,
    root: content.root,
    receipts: { count: content.receipts.count, root: content.receipts.root },
    classes: content.classes.map(classRule),
    rules: { maxWins: content.rules.max_wins, preferences: content.rules.preferences },
    scope: scope(content.rules.further_round ?? "asked"),
    byClass: content.counts.class,
    byChannel: content.counts.channel,
    frozenAt: content.frozen_at,
    objectionsUntil: instant(content.objections_until),
    promotion: promotion(content.promotion),
    beacon: beaconRound(beacon, content.rehearsal === true),
    dice: dice === null ? null : { digits: dice.digits, witnesses: dice.witnesses },
    vaultKey: content.vault_key ?? null,
    rehearsal: content.rehearsal === true,
    override: content.override,
    previous: content.previous,
    further: content.further === undefined ? null : further(content.further, content.previous),
  };
}

/** Return the classes with the seats that are drawn: all of a draw's, in a further round the free ones. */
export function drawnClasses({ classes, further: round }: Manifest): readonly ClassRule[] {
  return round === null ? classes : classes.map((rule) => ({ ...rule, capacity: round.free[rule.id] ?? 0 }));
}

/** Return the time before which the randomness does not exist: the end of objections, or the beacon's round. */
export function randomnessFrom({ beacon, objectionsUntil }: Manifest): Instant {
  return beacon === null ? objectionsUntil : Math.max(objectionsUntil, (beacon.genesis_s + (beacon.round - 1) * beacon.period_s) * 1_000_000);
}

function further(member: Members, previous: unknown): Further {
  if (previous === null) throw new InvalidRecordError("a further round names the draw that it continues");
  const { continues, places, free, extra } = member;
  return { scope: scope(member.scope), continues, manifestSha256: member.manifest_sha256, historySha256: member.history_sha256, places: { count: places.count, root: places.root }, free, extra };
}

function scope(written: unknown): Scope {
  if (written !== "asked" && written !== "everybody") throw new InvalidRecordError("the manifest does not say who takes part in further rounds");
  return written;
}

function classRule(member: Members): ClassRule {
  return { id: member.id, capacity: member.capacity, starts: instant(member.starts), ends: instant(member.ends), waiting: member.waiting };
}

function promotion(member: Members): Promotion {
  const moment = (written: unknown): Instant | null => (written === null ? null : instant(written));
  return { holdUntil: moment(member.hold_until), offerHours: member.offer_hours, offersUntil: moment(member.offers_until) };
}

function beaconRound(member: Members, rehearsal: boolean): BeaconRound {
  const { chain, public_key: publicKey, round, genesis, period } = member;
  if (chain !== OWN_CHAIN) return { chain, publicKey, round, genesis_s: QUICKNET.genesis_s, period_s: QUICKNET.period_s };
  if (!rehearsal || !Number.isSafeInteger(genesis) || !Number.isSafeInteger(period)) {
    throw new InvalidRecordError("a draw that is no rehearsal names a rehearsal's beacon, whose owner knows every value");
  }
  return { chain, publicKey, round, genesis_s: genesis, period_s: period };
}
