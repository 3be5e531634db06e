import { required } from '../dom.ts';

const HEIGHT = 16;

/** Returns a line through the values, from left to right. The highest value is at the top, and 0 at the bottom. */
export function sparkPath(values: readonly number[]): string {
  const highest = Math.max(1, ...values);
  return values
    .map((value, index) => `${index === 0 ? 'M' : 'L'}${index} ${(HEIGHT - (value / highest) * HEIGHT).toFixed(1)}`)
    .join('');
}

/** Draws the values into a path of operators.html. */
export function showSparkline(id: string, values: readonly number[]): void {
  const path = required(`#${id}`, SVGPathElement);
  const line = sparkPath(values);
  if (path.getAttribute('d') !== line) path.setAttribute('d', line);
}
