/** One entry's path, in words. */

import { el, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import { moment, title } from "./page.ts";
import type { Path, Turn } from "./path.ts";
import type { Place } from "./waiting_list.ts";
import type { Step } from "./steps.ts";

/** `known`: who said which entry it is. */
export function showPath(path: Path | null, known: "typed" | "computed" | "office"): void {
  if (path === null) return section("path").replaceChildren(el("p", { class: "state state-late" }, t("verify.path.absent")));
  section("path").replaceChildren(
    el("p", { class: "small mono" }, t("verify.path.entry", { entry: path.entry }), " ", t(`verify.known.${known}`)),
    ...(path.turn === null ? [el("p", {}, t("verify.path.added"))] : turn(path.turn)),
    ...(path.afterwards.length === 0 ? [] : afterwards(path)),
  );
}

function turn(drawn: Turn): Node[] {
  const steps = drawn.attempts.map((step) =>
    el("li", {}, t("verify.path.step", { round: step.round, name: title(step.classId), seats: step.seats, left: step.left }), " ", t(`verify.tried.${step.outcome}`)),
  );
  const endings = drawn.endings.flatMap((each) => [el("dt", {}, title(each.classId)), el("dd", {}, t(`verify.ending.${each.outcome}`, { place: each.place ?? 0 }))]);
  return [
    el("p", { class: "place" }, t("verify.path.place", { place: drawn.place, entries: drawn.entries })),
    el("p", { class: "small mono" }, t("verify.path.ticket", { ticket: drawn.ticket })),
    el("h3", {}, t("verify.path.endings")),
    el("dl", { class: "endings" }, ...endings),
    el("h3", {}, t("verify.path.steps")),
    el("ol", {}, ...steps),
  ];
}

function afterwards(path: Path): Node[] {
  const now = path.now.flatMap(([classId, place]) => [el("dt", {}, title(classId)), el("dd", {}, standing(place))]);
  return [
    el("h3", {}, t("verify.path.afterwards")),
    el("ol", {}, ...path.afterwards.map((step) => el("li", {}, `${moment(step.at / 1000)} ${title(step.classId)}: ${moved(step)}`))),
    el("h3", {}, t("verify.path.now")),
    el("dl", { class: "endings" }, ...now),
  ];
}

function moved(step: Step): string {
  const until = step.answerBy === null ? "" : ` ${t("verify.path.until", { until: moment(step.answerBy / 1000) })}`;
  return t(`verify.moved.${step.move}`) + until;
}

function standing(place: Place): string {
  return t(`verify.now.${place.state}`, { place: place.position ?? 0 });
}
