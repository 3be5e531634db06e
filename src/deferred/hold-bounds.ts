import type { Context } from 'koa';

/** Limits of held responses. */
export interface HoldBoundsOptions {
  /** Maximum number of held responses of this process. */
  maxHeld: number;
  /** Maximum number of held responses of one address; 0 for no limit. */
  maxHeldPerAddress: number;
  /** Returns the address that a request counts for. */
  addressOf: (ctx: Context) => string;
}

/** Counts held responses by address. An address without any is forgotten. */
export class HoldBounds {
  readonly #options: HoldBoundsOptions;
  readonly #heldByAddress = new Map<string, number>();

  constructor(options: HoldBoundsOptions) {
    this.#options = options;
  }

  /** Number of addresses with held responses. */
  get addresses(): number {
    return this.#heldByAddress.size;
  }

  /** Returns the limit that one more response would exceed. `held` is the number of held responses. */
  brokenBy(held: number, address: string | undefined): 'too_many_held' | 'too_many_held_by_address' | undefined {
    if (held >= this.#options.maxHeld) return 'too_many_held';
    if (address === undefined) return undefined;
    const heldByAddress = this.#heldByAddress.get(address) ?? 0;
    return heldByAddress >= this.#options.maxHeldPerAddress ? 'too_many_held_by_address' : undefined;
  }

  /** Returns the address that counts for `ctx`; undefined if addresses have no limit. */
  addressOf(ctx: Context): string | undefined {
    return this.#options.maxHeldPerAddress > 0 ? this.#options.addressOf(ctx) : undefined;
  }

  /** Counts one more. End it with `leave` for the same address. */
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
