const numbers = new Map<string, Intl.NumberFormat>();
const dates = new Map<string, Intl.DateTimeFormat>();

/** Returns a formatter of numbers. Each is created once, because that takes as long as a hundred calls of it. */
export function numberFormat(locale: string, options: Intl.NumberFormatOptions = {}): Intl.NumberFormat {
  return remembered(numbers, locale, options, () => new Intl.NumberFormat(locale, options));
}

/** Returns a formatter of times. Each is created once. */
export function dateTimeFormat(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return remembered(dates, locale, options, () => new Intl.DateTimeFormat(locale, options));
}

function remembered<T>(known: Map<string, T>, locale: string, options: object, create: () => T): T {
  const key = locale + JSON.stringify(options);
  const present = known.get(key);
  if (present) return present;
  const created = create();
  known.set(key, created);
  return created;
}
