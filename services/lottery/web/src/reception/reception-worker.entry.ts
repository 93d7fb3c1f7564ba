/** Service worker of the reception page. */

import { serveFrom } from "#shared/service_worker.ts";
import { PAGE_CACHE } from "./page_cache.ts";

serveFrom(PAGE_CACHE, (path) => path.endsWith("/app.webmanifest"));
