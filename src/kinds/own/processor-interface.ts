/**
 * Version of the interface between the service and processors of others. It changes only if a processor that was
 * written for an earlier version would break (docs/adr/0017-interface-of-processors.md).
 */
export const PROCESSOR_INTERFACE = 1;
