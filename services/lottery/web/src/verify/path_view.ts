/** View of one entry's path, in words. */

import { entryNumber } from "#shared/codes.ts";
import { el, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import { moment, title } from "./page.ts";
import type { Path, DrawPath } from "./path.ts";
import type { Place } from "./waiting_list.ts";
import type { PlaceEvent } from "./place_events.ts";

/** Show the path. `known`: how the entry was found. */
export function showPath(path: Path | null, known: "typed" | "computed"): void {
  if (path === null) return section("path").replaceChildren(el("p", { class: "state state-late" }, t("verify.path.absent")));
  section("path").replaceChildren(
    el("p", { class: "small mono" }, t("verify.path.entry", { number: entryNumber(path.entry) ?? "", entry: path.entry }), " ", t(`verify.known.${known}`)),
    ...path.before.flatMap((before, at) => [el("h3", {}, t("verify.path.before", { at: at + 1 })), ...(before === null ? [el("p", {}, t("verify.path.absent"))] : content(before))]),
    ...(path.before.length === 0 ? [] : [el("h3", {}, t("verify.path.further"))]),
    ...content(path),
  );
}

function content(path: Path): Node[] {
  const missing = path.before.length === 0 ? "verify.path.added" : "verify.path.no-part";
  return [...(path.draw === null ? [el("p", {}, t(missing))] : draw(path.draw)), ...(path.now.length === 0 ? [] : afterwards(path))];
}

function draw(drawn: DrawPath): Node[] {
  const steps = drawn.attempts.map((event) =>
    el("li", {}, t("verify.path.step", { round: event.round, name: title(event.classId), seats: event.seats, left: event.left }), " ", t(`verify.tried.${event.outcome}`)),
  );
  const outcomes = drawn.outcomes.flatMap(({ classId, outcome, place, reason }) => [el("dt", {}, title(classId)), el("dd", {}, t(`verify.ending.${outcome}`, { place: place ?? 0 }), reason === null ? "" : t(`verify.lost.${reason}`))]);
  return [
    el("p", { class: "place" }, t("verify.path.place", { place: drawn.place, entries: drawn.entries })),
    el("p", { class: "small mono" }, t("verify.path.ticket", { ticket: drawn.ticket })),
    el("h3", {}, t("verify.path.endings")),
    el("dl", { class: "endings" }, ...outcomes),
    el("h3", {}, t("verify.path.steps")),
    el("ol", {}, ...steps),
  ];
}

function afterwards(path: Path): Node[] {
  const now = path.now.flatMap(([classId, place]) => [el("dt", {}, title(classId)), el("dd", {}, describePlace(place))]);
  const events = path.afterwards.map((event) => el("li", {}, `${moment(event.at / 1000)} ${title(event.classId)}: ${describeEvent(event)}`));
  return [
    ...(events.length === 0 ? [] : [el("h3", {}, t("verify.path.afterwards")), el("ol", {}, ...events)]),
    el("h3", {}, t("verify.path.now")),
    el("dl", { class: "endings" }, ...now),
  ];
}

function describeEvent(event: PlaceEvent): string {
  const until = event.answerBy === null ? "" : ` ${t("verify.path.until", { until: moment(event.answerBy / 1000) })}`;
  return t(`verify.moved.${event.move}`) + until;
}

function describePlace(place: Place): string {
  return t(`verify.now.${place.state}`, { place: place.position ?? 0 });
}
