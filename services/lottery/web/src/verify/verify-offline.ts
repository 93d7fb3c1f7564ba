/** The service worker of /verify. */

import { serveFrom } from "../../../../../shared/web/src/serving.ts";
import { SHELF } from "./page_cache.ts";

serveFrom(SHELF);
