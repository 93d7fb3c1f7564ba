/** The service worker of /verify. */

import { serveFrom } from "#shared/serving.ts";
import { SHELF } from "./page_cache.ts";

serveFrom(SHELF);
