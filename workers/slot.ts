/** A value that one step leaves for later ones: set once, read as often as liked. */
export interface Slot<Value> {
  /** Throws when there is a value already: two steps cannot both be its maker. */
  set(value: Value): void;
  /** Throws while there is none: the steps are in the wrong order. */
  get(): Value;
  /** The value, or `other` while there is none. */
  orElse(other: Value): Value;
}

/** `name` stands in the errors, which only a programmer ever sees. */
export function createSlot<Value>(name: string): Slot<Value> {
  let held: { value: Value } | undefined;
  return {
    set(value) {
      if (held !== undefined) {
        throw new Error(`slot ${name} is set twice`);
      }
      held = { value };
    },
    get() {
      if (held === undefined) {
        throw new Error(`slot ${name} is read before it is set`);
      }
      return held.value;
    },
    orElse: (other) => (held === undefined ? other : held.value),
  };
}
