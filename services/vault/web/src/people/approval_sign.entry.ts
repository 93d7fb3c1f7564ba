/** Program of the approvals' pages: signs a request or an approval with a passkey. */

import { byId, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import { getPasskey, page, post } from "./passkey_calls.ts";

interface ApprovalPage {
  readonly approval: string | null;
  readonly home: string;
}

const { approval, home } = page as typeof page & ApprovalPage;

interface Draft {
  readonly document: { readonly id: string };
}

/** Write the request of the form, and return its number. */
async function draft(): Promise<string> {
  const fields = new FormData(byId("request", HTMLFormElement));
  const text = (name: string): string => String(fields.get(name) ?? "");
  const recipient = text("recipient");
  const params: unknown = recipient === "" ? JSON.parse(text("params") || "{}") : { recipient };
  const { document: made } = await post<Draft>("/v1/approvals", { kind: text("kind"), campaign: text("campaign"), params, reason: text("reason") });
  return made.id;
}

async function sign(): Promise<void> {
  const answer = section("passkey-answer");
  answer.textContent = "";
  try {
    const id = approval ?? (await draft());
    const options = await post<Parameters<typeof getPasskey>[0]>(`/v1/approvals/${id}/challenge`, {});
    await post(`/v1/approvals/${id}/signatures`, { passkey: await getPasskey(options) });
    window.location.assign(`${home}${id}`);
  } catch {
    answer.textContent = t("passkey.failed");
  }
}

if ("credentials" in navigator && "PublicKeyCredential" in window) {
  section("passkey").hidden = false;
  byId("sign-with-passkey", HTMLButtonElement).addEventListener("click", () => void sign());
}
