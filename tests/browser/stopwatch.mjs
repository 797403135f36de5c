// How long a person would take for a walk. The machine's own time is measured; what a person needs besides is reckoned
// from what the walk does, by the keystroke-level model (Card, Moran, Newell 1980) with a phone's figures: nothing is
// waited for, so that a test stays quick; or, paced, all of it is, as a person with the phone in hand would.
const THINK_S = 1.35; // to decide what comes next
const TAP_S = 1.5; // to find a place on a phone's screen and tap it
const KEY_S = 0.4; // a character on a phone's keyboard
const FILE_S = 12; // to find a file in the phone's picker
const READ_S = 6; // to read what a new screen or dialog says

const deeds = {
  click: () => THINK_S + TAP_S,
  fill: (text) => THINK_S + TAP_S + String(text).length * KEY_S,
  selectOption: () => THINK_S + 2 * TAP_S,
  setInputFiles: () => THINK_S + TAP_S + FILE_S,
};

const pause = (seconds) => new Promise((over) => setTimeout(over, seconds * 1_000));

export function stopwatch(page, paced = false) {
  let person = 0, began = performance.now();
  const laps = {};
  const takes = async (seconds) => {
    person += seconds;
    if (paced) await pause(seconds);
  };
  const locator = Object.getPrototypeOf(page.locator('body'));
  for (const [deed, seconds] of Object.entries(deeds)) {
    const plain = locator[deed];
    locator[deed] = async function (...given) {
      await takes(seconds(...given));
      return plain.apply(this, given);
    };
  }
  return {
    /** Something new is to be read. */
    reads: () => takes(READ_S),
    /** What was done since the lap before has this name. */
    lap(name) {
      const machine = (performance.now() - began) / 1000 - (paced ? person : 0);
      laps[name] = { minutes: Number(((machine + person) / 60).toFixed(1)), waiting_s: Math.round(machine), person_s: Math.round(person) };
      began = performance.now();
      person = 0;
    },
    laps,
    minutes: (...names) => Number(names.reduce((sum, name) => sum + (laps[name].waiting_s + laps[name].person_s) / 60, 0).toFixed(1)),
  };
}
