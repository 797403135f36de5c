/** One tick a second for every age on the page, and the gateway's time, whose clock may differ from this device's. */
import { cell } from './cell';

export const second = cell(Date.now());

/** Less than that is the way of the request. */
const WAY_MS = 2_000;

let offset = 0;

setInterval(() => second.set(Date.now()), 1000);

/** The gateway says that it is `t` there at this moment. */
export function heardTime(t: number): void {
  offset = t - Date.now();
}

/** How far the two clocks are apart, ms; nothing where the way of a request explains it. */
export function clocksApart(): number {
  return Math.abs(offset) < WAY_MS ? 0 : Math.abs(offset);
}

/** Milliseconds UTC by the gateway's clock. */
export function gatewayNow(): number {
  return Date.now() + offset;
}
