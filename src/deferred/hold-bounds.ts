import type { Context } from 'koa';

/** How many responses may be held. */
export interface HoldBoundsOptions {
  /** Responses held by this process. */
  maxHeld: number;
  /** Responses held for one address; 0 for no limit. */
  maxHeldPerAddress: number;
  /** Who a request counts for. */
  addressOf: (ctx: Context) => string;
}

/** Counts held responses by address; nothing is kept of an address that holds none. */
export class HoldBounds {
  readonly #options: HoldBoundsOptions;
  readonly #heldByAddress = new Map<string, number>();

  constructor(options: HoldBoundsOptions) {
    this.#options = options;
  }

  /** Addresses that hold something now. */
  get addresses(): number {
    return this.#heldByAddress.size;
  }

  /** Which bound one more response would break, `held` being all that are held now. */
  brokenBy(held: number, address: string | undefined): 'too_many_held' | 'too_many_held_by_address' | undefined {
    if (held >= this.#options.maxHeld) return 'too_many_held';
    if (address === undefined) return undefined;
    const heldByAddress = this.#heldByAddress.get(address) ?? 0;
    return heldByAddress >= this.#options.maxHeldPerAddress ? 'too_many_held_by_address' : undefined;
  }

  /** The address that counts for `ctx`; undefined where addresses are not limited. */
  addressOf(ctx: Context): string | undefined {
    return this.#options.maxHeldPerAddress > 0 ? this.#options.addressOf(ctx) : undefined;
  }

  /** Counts one more; ends with `leave` of the same address. */
  enter(address: string | undefined): void {
    if (address !== undefined) this.#heldByAddress.set(address, (this.#heldByAddress.get(address) ?? 0) + 1);
  }

  /** Counts one less. */
  leave(address: string | undefined): void {
    if (address === undefined) return;
    const left = (this.#heldByAddress.get(address) ?? 0) - 1;
    if (left > 0) this.#heldByAddress.set(address, left);
    else this.#heldByAddress.delete(address);
  }
}
