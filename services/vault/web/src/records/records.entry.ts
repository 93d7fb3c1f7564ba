/** Program of the page of records: fetches the audit log whole and verifies it on this device. */

import { byId, el, section } from "#shared/dom.ts";
import { type Frame, read, t } from "#shared/page.ts";
import { type ExportedLog, verifyLog } from "./audit_log.ts";

interface RecordsPage extends Frame {
  readonly epoch: number;
}

const { epoch } = read<RecordsPage>();
const button = byId("verify-log", HTMLButtonElement);

/** Return a part of the log. Throws if the vault does not answer with one. */
async function fetchPart(after: number): Promise<ExportedLog> {
  const answer = await fetch(`/v1/audit?epoch=${epoch}&after=${after}`, { headers: { accept: "application/json" }, cache: "no-store" });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()) as ExportedLog;
}

/** Return the log with all its lines; the checkpoint is of the first answer, so that the lines reach it. */
async function fetchLog(): Promise<ExportedLog> {
  const first = await fetchPart(0);
  const lines = [...first.lines];
  for (let more = first.lines.length; more > 0;) {
    const part = await fetchPart(lines.length);
    lines.push(...part.lines);
    more = part.lines.length;
  }
  return { ...first, lines };
}

async function verify(): Promise<void> {
  const list = section("findings");
  const status = section("verify-status");
  button.disabled = true;
  list.replaceChildren();
  status.textContent = t("records.verifying");
  try {
    const findings = verifyLog(await fetchLog(), byId("expected-key", HTMLInputElement).value);
    const passed = findings.every((finding) => finding.passed);
    for (const { name, passed: holds, filling } of findings) {
      list.append(el("li", {}, `${holds ? "○" : "×"} ${t(`records.verify.${name}.${holds ? "yes" : "no"}`, filling)}`));
    }
    status.textContent = t(passed ? "records.verified" : "records.not-verified");
    status.className = `state ${passed ? "state-open" : "state-late"}`;
  } catch {
    status.textContent = t("records.verify.unreachable");
  }
  button.disabled = false;
}

button.addEventListener("click", () => void verify());
const open = document.getElementById("open-log");
if (open instanceof HTMLFormElement) {
  open.addEventListener("submit", (event) => {
    event.preventDefault();
    void openNext(String(new FormData(open).get("approval") ?? "").trim());
  });
}

/** Open the next log by an approval that was given. */
async function openNext(approval: string): Promise<void> {
  const answer = await fetch("/v1/audit/logs", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ approval }),
  }).catch(() => null);
  if (answer?.ok === true) window.location.reload();
  else section("open-answer").textContent = t("records.not-opened");
}
