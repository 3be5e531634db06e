/** One promise of the service, and the findings that break it. */
export interface Check {
  readonly name: string;
  /** Each finding names an upload, a process or a key, if there is one. */
  readonly findings: readonly string[];
}

/** Returns the ids that the findings name. */
export function idsIn(checks: readonly Check[]): string[] {
  const found = checks
    .flatMap(({ findings }) => findings)
    .flatMap((finding) => finding.match(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g) ?? []);
  return [...new Set(found)];
}
