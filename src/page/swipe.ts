/** A shorter movement is not a swipe. */
const MIN_DISTANCE_PX = 48;

/** Calls the functions when a finger moves sideways over the element. The element follows the finger. */
export function listenForSwipes(element: HTMLElement, on: { left: () => void; right: () => void }): void {
  let startX: number | null = null;
  const moveBy = (distance: number): void => {
    element.style.transform = distance === 0 ? '' : `translateX(${distance}px)`;
  };
  const end = (): void => {
    startX = null;
    moveBy(0);
  };
  element.addEventListener('pointerdown', ({ pointerType, clientX, isPrimary }) => {
    // A second finger is a zoom.
    startX = isPrimary && pointerType !== 'mouse' ? clientX : null;
  });
  element.addEventListener('pointermove', ({ clientX }) => {
    if (startX !== null) moveBy(clientX - startX);
  });
  element.addEventListener('pointerup', ({ clientX }) => {
    const distance = startX === null ? 0 : clientX - startX;
    end();
    if (distance < -MIN_DISTANCE_PX) on.left();
    if (distance > MIN_DISTANCE_PX) on.right();
  });
  element.addEventListener('pointercancel', end);
}
