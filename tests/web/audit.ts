/** Findings about an audit log for tests: one JSON question on standard input, one JSON answer out. */

import { type ExportedLog, verifyLog } from "../../services/vault/web/src/records/audit_log.ts";

interface Question {
  readonly log: ExportedLog;
  readonly expected: string;
}

declare const process: { stdin: AsyncIterable<Uint8Array>; stdout: { write(text: string): void } };

const chunks: Uint8Array[] = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { log, expected } = JSON.parse(await new Blob(chunks as BlobPart[]).text()) as Question;
process.stdout.write(JSON.stringify(verifyLog(log, expected).map(({ name, passed }) => [name, passed])));
