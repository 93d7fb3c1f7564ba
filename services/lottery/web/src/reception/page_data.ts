/** Data block of the reception page, and the server's time. */

import { read, type Frame } from "#shared/page.ts";

export interface PageData extends Frame {
  readonly campaign: string;
  /** Path of the service worker. */
  readonly worker: string;
  /** Time of the campaign's close-out: after it no data of the campaign may stay on a device. */
  readonly close_out: string;
  /** Path of the web application manifest. */
  readonly manifest: string;
}

export const page = read<PageData>();

/** The server's clock as the device last read it. The device's own clock may be wrong, and it may be offline for long. */
export class ServerClock {
  constructor(public ahead: number) {}

  synchronise(now: string): void {
    this.ahead = Date.parse(now) - Date.now();
  }

  now(): number {
    return Date.now() + this.ahead;
  }
}
