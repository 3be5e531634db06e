import { isOnScreen } from './dom.ts';

/** Calls `change`, and lets the visible elements glide to their new places if the browser and the user allow it. */
export function withTransition(elements: readonly HTMLElement[], change: () => void): void {
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  if (isCalm || !('startViewTransition' in document)) return change();
  // Hundreds of moving elements would make the movement jerk.
  const moving = elements.filter(isOnScreen);
  moving.forEach((element, index) => element.style.setProperty('view-transition-name', `tile-${index}`));
  const release = (): void => moving.forEach((element) => element.style.removeProperty('view-transition-name'));
  document.startViewTransition(change).finished.then(release, release);
}
