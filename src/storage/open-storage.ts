import { LocalStorage } from './local-storage.ts';
import type { Storage } from './storage.ts';

/** Picks the driver that a `STORAGE` setting names; its form has been checked with the other settings. */
export function openStorage(setting: string): Storage {
  return new LocalStorage(setting.replace(/^file:(\/\/)?/, ''));
}
