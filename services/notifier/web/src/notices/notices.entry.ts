/** Program of the page of notices: keeps it current. */

import { keepLive } from "#shared/live.ts";

keepLive();
