import { askApplication } from './ask-application.ts';
import { asUploadError, clientError } from './upload-error.ts';

/** Returns a ticket from the application's back end. Undefined or empty sends the upload without one. */
export type FetchTicket = () => string | undefined | Promise<string | undefined>;

/** Adds a ticket to each request that creates an upload. */
export interface Tickets {
  /**
   * Calls `send` with the headers of a ticket. If the server refuses the ticket and the application has another one, it
   * calls `send` a second time. Rejects as `send` does, and with the code `ticket_unavailable` if the application has
   * no ticket.
   */
  use<T>(send: (headers: Record<string, string>) => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** With these codes the server has created nothing, and another ticket can help. */
const REFUSED_CODES: ReadonlySet<string> = new Set(['ticket_required', 'ticket_invalid', 'ticket_expired']);

/** A ticket that one or more uploads use. */
interface SharedTicket {
  readonly token: Promise<string | undefined>;
  uses: number;
}

/** Keeps a ticket until the server refuses it. Uploads that start at the same time share one call of `fetchTicket`. */
export function createTickets(fetchTicket: FetchTicket = () => undefined): Tickets {
  let current: SharedTicket | null = null;

  function take(): SharedTicket {
    const ticket = (current ??= { token: askApplication(fetchTicket), uses: 0 });
    ticket.uses += 1;
    return ticket;
  }

  function drop(ticket: SharedTicket): void {
    if (current === ticket) current = null;
  }

  /** Undefined if another ticket cannot help. */
  function replacementOf(ticket: SharedTicket, code: string): SharedTicket | undefined {
    if (REFUSED_CODES.has(code)) {
      drop(ticket);
      return take();
    }
    // Other uploads may have used up the number of files that the ticket allows.
    if (code !== 'ticket_forbids' || ticket.uses === 1) return undefined;
    drop(ticket);
    return { token: askApplication(fetchTicket), uses: 1 };
  }

  return {
    async use(send, signal) {
      const sendWith = async ({ token }: SharedTicket) => await send(headersOf(await unlessAborted(token, signal)));
      const first = take();
      first.token.catch(() => drop(first));
      try {
        return await sendWith(first);
      } catch (error) {
        const second = signal.aborted ? undefined : replacementOf(first, asUploadError(error).code);
        if (second === undefined) throw error;
        second.token.catch(() => drop(second));
        // The server would refuse the same ticket again, after another transfer of the file.
        if ((await unlessAborted(second.token, signal)) === (await first.token)) throw error;
        return await sendWith(second);
      }
    },
  };
}

function headersOf(token: string | undefined): Record<string, string> {
  return token === undefined || token === '' ? {} : { Authorization: `Bearer ${token}` };
}

/** Ends the wait for `work` if the signal aborts. The application's function itself cannot be aborted. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(clientError('aborted'));
    const stopListening = (): void => signal.removeEventListener('abort', abort);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    work.then(resolve, reject).then(stopListening, stopListening);
  });
}
