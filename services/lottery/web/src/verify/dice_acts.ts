/** Check of the digits that witnesses entered as acts signed by the vault (docs/spec/draw-2.md §5). */

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { unb64url, utf8 } from "#shared/encoding.ts";
import { canonical, type Json } from "./canonical.ts";
import { instant, type Instant } from "./instants.ts";
import type { Manifest } from "./manifest.ts";
import { roundInstant } from "./randomness.ts";
import { hex } from "./hex.ts";

const CONTEXT = "kuji/act/2\0";
const MARGIN: Instant = 30_000_000;
const ROLES: readonly unknown[] = ["ward", "auditor", "responsible"];
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u;
/** 64 bytes in base64url; the last character has four bits that must be zero, so that a signature has one form. */
const SIGNATURE = /^[A-Za-z0-9_-]{85}[AQgw]$/u;
const MEMBERS = "at campaign id key kind params role signature v";

type Act = Readonly<Record<string, any>>;

/** Return true if the acts are those of this draw's witnesses, in their order, and `dice` is their digits. */
export function diceAreValid(manifest: Manifest, acts: unknown, dice: unknown, vaultKey: string | null): boolean {
  if (!Array.isArray(acts)) return false;
  if (manifest.dice === null) return acts.length === 0 && dice === null;
  if (vaultKey === null || acts.length !== manifest.dice.witnesses || new Set(acts.map(({ id }) => id)).size !== acts.length) return false;
  if (!acts.every((act) => isAct(manifest, act, vaultKey))) return false;
  const ordered = acts.every((act, at) => at === 0 || precedes(acts[at - 1], act));
  return ordered && acts.map(({ params }) => params.digits).join("") === dice;
}

function isAct(manifest: Manifest, act: Act, vaultKey: string): boolean {
  if (Object.keys(act).sort().join(" ") !== MEMBERS || act.v !== 2 || act.kind !== "dice" || !ID.test(act.id) || !ROLES.includes(act.role) || !SIGNATURE.test(act.signature)) return false;
  const { draw, manifest_sha256: manifestHash, digits, ...others } = act.params as Act;
  const isOfDraw = act.campaign === manifest.campaign && draw === manifest.draw && manifestHash === hex(sha256(utf8(manifest.line)));
  const isWritten = Object.keys(others).length === 0 && /^[0-9]{20}$/u.test(digits);
  return isOfDraw && isWritten && instant(act.at) <= roundInstant(manifest.beacon) - MARGIN && isSigned(act, vaultKey);
}

function isSigned({ signature, ...document }: Act, vaultKey: string): boolean {
  try {
    const key = unb64url(vaultKey);
    if (document.key !== hex(sha256(key)).slice(0, 16)) return false;
    return ed25519.verify(unb64url(signature), utf8(CONTEXT + canonical(document as Json)), key, { zip215: false });
  } catch {
    return false; // not a signature or not a key
  }
}

function precedes(one: Act, other: Act): boolean {
  const [first, second] = [instant(one.at), instant(other.at)];
  return first < second || (first === second && one.id < other.id);
}
