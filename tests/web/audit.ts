/** Findings about an audit log for tests. */

import { type ExportedLog, verifyLog } from "../../services/vault/web/src/records/audit_log.ts";
import { serve } from "./serve.ts";

interface Question {
  readonly log: ExportedLog;
  readonly expected: string;
}

await serve({
  verify: ({ log, expected }: Question) => verifyLog(log, expected).map(({ name, passed }) => [name, passed]),
});
