/** A value that one step sets and later steps read. It is set once. */
export interface SetOnce<Value> {
  /** Throws if a value is set already: only one step may produce it. */
  set(value: Value): void;
  /** Throws if no value is set: the steps are in the wrong order. */
  get(): Value;
  /** Returns the value, or `other` while no value is set. */
  orElse(other: Value): Value;
}

/** Creates an empty holder. `name` appears in its errors, which only a programmer sees. */
export function setOnce<Value>(name: string): SetOnce<Value> {
  let held: { value: Value } | undefined;
  return {
    set(value) {
      if (held !== undefined) throw new Error(`value ${name} is set twice`);
      held = { value };
    },
    get() {
      if (held === undefined) throw new Error(`value ${name} is read before it is set`);
      return held.value;
    },
    orElse: (other) => (held === undefined ? other : held.value),
  };
}
