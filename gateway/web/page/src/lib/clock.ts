/** One tick a second for every age on the page, and the gateway's time, whose clock may differ from this device's. */
import { cell } from './cell';

export const second = cell(Date.now());

let offset = 0;

setInterval(() => second.set(Date.now()), 1000);

/** The gateway says that it is `t` there at this moment. */
export function heardTime(t: number): void {
  offset = t - Date.now();
}

/** Milliseconds UTC by the gateway's clock. */
export function gatewayNow(): number {
  return Date.now() + offset;
}
