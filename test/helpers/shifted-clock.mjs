/*
 * Imported before a process's entry: shifts its wall clock by CLOCK_SHIFT_MS, as on a machine whose clock is wrong.
 * Timers and performance.now() go on as they are.
 */
const shiftMs = Number(process.env['CLOCK_SHIFT_MS'] ?? 0);
const RealDate = Date;

if (shiftMs !== 0) {
  globalThis.Date = class extends RealDate {
    /** @param {...unknown} args */
    constructor(...args) {
      // @ts-expect-error The overloads of Date cannot be told apart here.
      super(...(args.length === 0 ? [RealDate.now() + shiftMs] : args));
    }

    static now() {
      return RealDate.now() + shiftMs;
    }
  };
}
