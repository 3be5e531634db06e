/** Runs the command with the arguments of this process. */
export {};
