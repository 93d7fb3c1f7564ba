/** Service worker of the page /verify. */

import { serveFrom } from "#shared/service_worker.ts";
import { PAGE_CACHE } from "./page_cache.ts";

serveFrom(PAGE_CACHE);
