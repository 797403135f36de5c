/**
 * The focus stays where somebody is at work. What had it and is gone hands it on to the heading of the part that it was in;
 * what could not be pressed for a while has it again afterwards.
 */

/** What had it last, and all that that is within; nothing where somebody left it. */
let path: HTMLElement[] = [];
let held = false;

function keep(): void {
  const [had] = path, { activeElement, body } = document;
  if (!had) return;
  if (had.isConnected && had.matches(':disabled')) held = true;
  else if (activeElement === had) held = false;
  else if (activeElement !== body) return;
  else if (!had.isConnected) {
    const left = path.filter((one) => one.isConnected);
    const heading = left.find((one) => one.querySelector('h1, h2'))?.querySelector<HTMLElement>('h1, h2');
    // A row of a long list that is out of sight is not gone.
    if (!heading || left[0]!.closest('.virtual')) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  } else if (held) had.focus({ preventScroll: true });
  else path = [];
}

export function keepFocus(): void {
  addEventListener('focusin', ({ target }) => {
    path = [];
    held = false;
    for (let one = target as HTMLElement | null; one; one = one.parentElement) path.push(one);
  });
  new MutationObserver(keep).observe(document.body, { subtree: true, childList: true, attributeFilter: ['disabled'] });
}
