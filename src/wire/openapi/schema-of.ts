import type { z } from 'zod';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Takes a schema whose type is the wire's own, to the last optional member; any other does not compile. */
export function schemaOf<Wire>() {
  return <S extends z.ZodType<Wire>>(schema: S & (Same<z.infer<S>, Wire> extends true ? unknown : never)): S => schema;
}
