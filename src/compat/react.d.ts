/**
 * The types of the functions of React that the hooks use. React has no types of its own, and the hooks need too little
 * of `@types/react` to depend on it. `tsconfig.json` maps the package to this file.
 */
/** Calls `effect` after each render in which a dependency changed, and its result before the next call. */
export function useEffect(effect: () => void | (() => void), dependencies?: readonly unknown[]): void;
/** Returns a value that is made again if a dependency changed. */
export function useMemo<T>(create: () => T, dependencies: readonly unknown[]): T;
/** Returns a value that is made at the first render. */
export function useState<T>(initial: () => T): [T, (value: T) => void];
/** Returns the snapshot, and renders the component again after `onChange`. */
export function useSyncExternalStore<T>(
  subscribe: (onChange: () => void) => () => void,
  getSnapshot: () => T,
  getServerSnapshot: () => T,
): T;

/** Creates an element. A component without children takes its properties. */
export function createElement<P>(component: (properties: P) => unknown, properties: P): unknown;
