/** Calls of the passkey pages (W3C Web Authentication): options from the vault, the authenticator's answer back. */

import { b64url, unb64url } from "#shared/encoding.ts";
import { read, type Frame } from "#shared/page.ts";

export const page = read<Frame>();

interface CredentialOptions {
  readonly challenge: string;
  readonly [name: string]: unknown;
}

/** Post JSON and return the answer's JSON. Throws if the vault refuses. */
export async function post<Answer>(path: string, body: unknown): Promise<Answer> {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()) as Answer;
}

/** Ask the authenticator to sign in; return its answer as JSON. */
export async function getPasskey(options: CredentialOptions): Promise<unknown> {
  const publicKey: PublicKeyCredentialRequestOptions = { ...options, challenge: unb64url(options.challenge), allowCredentials: [] };
  const made = await navigator.credentials.get({ publicKey });
  if (!(made instanceof PublicKeyCredential) || !(made.response instanceof AuthenticatorAssertionResponse)) throw new Error("none");
  const { clientDataJSON, authenticatorData, signature } = made.response;
  return answerOf(made, { clientDataJSON, authenticatorData, signature });
}

interface CreationOptions extends CredentialOptions {
  readonly rp: PublicKeyCredentialRpEntity;
  readonly user: { readonly id: string; readonly name: string; readonly displayName: string };
  readonly pubKeyCredParams: PublicKeyCredentialParameters[];
  readonly excludeCredentials?: readonly { readonly id: string }[];
}

/** Ask the authenticator to make a passkey; return its answer as JSON. */
export async function createPasskey(options: CreationOptions): Promise<unknown> {
  const known = (options.excludeCredentials ?? []).map(({ id }) => ({ type: "public-key" as const, id: unb64url(id) }));
  const user = { ...options.user, id: unb64url(options.user.id) };
  const publicKey: PublicKeyCredentialCreationOptions = { ...options, challenge: unb64url(options.challenge), user, excludeCredentials: known };
  const made = await navigator.credentials.create({ publicKey });
  if (!(made instanceof PublicKeyCredential) || !(made.response instanceof AuthenticatorAttestationResponse)) throw new Error("none");
  const { clientDataJSON, attestationObject } = made.response;
  return answerOf(made, { clientDataJSON, attestationObject });
}

function answerOf(made: PublicKeyCredential, response: Readonly<Record<string, ArrayBuffer>>): unknown {
  const written = Object.entries(response).map(([name, bytes]) => [name, b64url(new Uint8Array(bytes))] as const);
  return { id: made.id, rawId: b64url(new Uint8Array(made.rawId)), type: made.type, response: Object.fromEntries(written), clientExtensionResults: {} };
}
