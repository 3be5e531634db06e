import { describe, expect, test } from '@jest/globals';
import { PageTicket } from '../../../src/page/page-ticket.ts';

/** Opens a tab whose address is `/media/` and the given rest. */
function openTab(stored = new Map<string, string>()) {
  const location = { pathname: '/media/', search: '?a=1', hash: '' };
  const replaced: string[] = [];
  const parts = {
    location,
    history: {
      replaceState(_state: unknown, _title: string, url?: string | URL | null) {
        replaced.push(String(url));
        location.hash = '';
      },
    },
    storage: () => ({
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: string) => void stored.set(key, value),
    }),
    base: '/media',
  };
  return { parts, location, replaced, stored };
}

describe('the ticket of the page', () => {
  test('is undefined without a ticket in the address', () => {
    const { parts, location, replaced } = openTab();
    location.hash = '#ticket=';
    expect(new PageTicket(parts).current).toBeUndefined();
    expect(replaced).toEqual([]);
  });

  test('comes from the fragment, which is removed from the address', () => {
    const { parts, location, replaced } = openTab();
    location.hash = '#ticket=eyJh.eyJi.c-_d';
    expect(new PageTicket(parts).current).toBe('eyJh.eyJi.c-_d');
    expect(replaced).toEqual(['/media/?a=1']);
  });

  test('survives a reload, and a new link replaces it', () => {
    const { parts, location } = openTab();
    location.hash = '#ticket=first';
    expect(new PageTicket(parts).current).toBe('first');
    const reloaded = new PageTicket(parts);
    expect(reloaded.current).toBe('first');
    location.hash = '#ticket=second';
    reloaded.take();
    expect(reloaded.current).toBe('second');
  });

  test('works without storage', () => {
    const { parts, location } = openTab();
    location.hash = '#ticket=first';
    const storage = () => {
      throw new Error('denied');
    };
    expect(new PageTicket({ ...parts, storage }).current).toBe('first');
  });
});
