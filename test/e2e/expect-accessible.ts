import { expect } from '@jest/globals';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { screenshot } from '../helpers/browser.ts';

const APPEARANCES = [
  { name: 'desktop-light', width: 1100, colorScheme: 'light' },
  { name: 'desktop-dark', width: 1100, colorScheme: 'dark' },
  { name: 'phone-light', width: 320, colorScheme: 'light' },
  { name: 'phone-dark', width: 320, colorScheme: 'dark' },
] as const;

type Appearance = (typeof APPEARANCES)[number];

/** The widest and the narrowest appearance, enough for a part of a page whose rest was checked in all of them. */
export const TWO_APPEARANCES: readonly Appearance[] = [APPEARANCES[0], APPEARANCES[3]];

/**
 * Checks that axe finds no violation and that nothing is wider than the window. Saves a screenshot if one is wanted.
 */
export async function expectAccessible(
  page: Page,
  name: string,
  appearances: readonly Appearance[] = APPEARANCES,
): Promise<void> {
  await page.evaluate(axe.source);
  for (const appearance of appearances) {
    await page.setViewportSize({ width: appearance.width, height: 800 });
    await page.emulateMedia({ colorScheme: appearance.colorScheme, reducedMotion: 'reduce' });
    // Only the violations leave the page, because the full report describes each element several times.
    const violations = await page.evaluate(async () => {
      const report = await axe.run({
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
        resultTypes: ['violations'],
      });
      return report.violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]);
    });
    expect([appearance.name, violations]).toEqual([appearance.name, []]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(appearance.width);
    await screenshot(page, `${name}-${appearance.name}`);
  }
}
