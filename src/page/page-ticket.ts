/** The places that hold the page's ticket. */
interface PageTicketParts {
  /** The address of the page. Its fragment never reaches a server or a log. */
  location: Pick<Location, 'hash' | 'pathname' | 'search'>;
  history: Pick<History, 'replaceState'>;
  /** The storage of the ticket. It survives a reload, and ends with the tab. Throws if the browser forbids it. */
  storage: () => Pick<Storage, 'getItem' | 'setItem'>;
  /** The path of the service. */
  base: string;
}

const KEY = 'deferred-uploads.ticket';

/**
 * Takes the ticket of a link such as `https://uploads.example/#ticket=…`, and removes it from the address, so that
 * nobody passes it on with the address. Call `take` again if the fragment changes.
 */
export class PageTicket {
  readonly #parts: PageTicketParts;
  #ticket: string | undefined;

  constructor(parts: PageTicketParts) {
    this.#parts = parts;
    this.#ticket = this.#read();
    this.take();
  }

  /** Undefined if the page was opened without a ticket. */
  get current(): string | undefined {
    return this.#ticket;
  }

  take(): void {
    const { location, history } = this.#parts;
    const given = new URLSearchParams(location.hash.slice(1)).get('ticket');
    if (given === null || given === '') return;
    this.#ticket = given;
    this.#write(given);
    history.replaceState(null, '', location.pathname + location.search);
  }

  #read(): string | undefined {
    try {
      return this.#parts.storage().getItem(this.#key) ?? undefined;
    } catch {
      return undefined;
    }
  }

  #write(ticket: string): void {
    try {
      this.#parts.storage().setItem(this.#key, ticket);
    } catch {
      // Without storage the ticket is lost at a reload.
    }
  }

  get #key(): string {
    return `${KEY}${this.#parts.base}`;
  }
}
