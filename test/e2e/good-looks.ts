import { expect } from '@jest/globals';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { screenshot } from '../helpers/browser.ts';

const LOOKS = [
  { name: 'desktop-light', width: 1100, colorScheme: 'light' },
  { name: 'desktop-dark', width: 1100, colorScheme: 'dark' },
  { name: 'phone-light', width: 320, colorScheme: 'light' },
  { name: 'phone-dark', width: 320, colorScheme: 'dark' },
] as const;

type Look = (typeof LOOKS)[number];

/** The widest and the narrowest look. They are enough for a part of a page whose rest was checked in all looks. */
export const TWO_LOOKS: readonly Look[] = [LOOKS[0], LOOKS[3]];

/**
 * Checks that axe finds no violation and that nothing is wider than the window. Saves a screenshot if one is wanted.
 */
export async function expectGoodLooks(page: Page, name: string, looks: readonly Look[] = LOOKS): Promise<void> {
  await page.evaluate(axe.source);
  for (const look of looks) {
    await page.setViewportSize({ width: look.width, height: 800 });
    await page.emulateMedia({ colorScheme: look.colorScheme, reducedMotion: 'reduce' });
    const { violations } = await page.evaluate(() =>
      axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
    );
    expect([look.name, violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])]).toEqual([
      look.name,
      [],
    ]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(look.width);
    await screenshot(page, `${name}-${look.name}`);
  }
}
