import type { DirectRoad, UploadRecord } from '../../record/record-fields.ts';
import type { PartToSend } from '../../storage/direct-parts.ts';

const MIB = 1024 * 1024;

/** Minimum size of a part. S3 accepts 5 MiB, but larger parts need fewer requests and signatures. */
const LEAST_PART_BYTES = 8 * MIB;

/** One request can list this many parts. S3 allows ten times more. */
const MOST_PLANNED_PARTS = 1000;

/** A receiving upload whose sender puts the parts into the bucket. */
export interface DirectUploadRecord extends UploadRecord {
  road: DirectRoad;
  totalBytes: number;
}

/** The division of a file into parts. */
interface PartPlan {
  readonly partBytes: number;
  readonly count: number;
  /** Returns at most `count` parts, from the number `from` on. */
  parts(from: number, count: number): PartToSend[];
}

/** Returns the size of the parts of a file: whole MiB, so that there are at most 1000. */
export function partBytesFor(sizeBytes: number): number {
  return Math.max(LEAST_PART_BYTES, Math.ceil(sizeBytes / MOST_PLANNED_PARTS / MIB) * MIB);
}

/** Divides a file. */
export function partPlan(sizeBytes: number, partBytes: number): PartPlan {
  const all = Math.ceil(sizeBytes / partBytes);
  const sizeOf = (number: number): number => (number < all ? partBytes : sizeBytes - (all - 1) * partBytes);
  return {
    partBytes,
    count: all,
    parts: (from, count) =>
      Array.from({ length: Math.max(0, Math.min(count, all - from + 1)) }, (_, index) => ({
        number: from + index,
        sizeBytes: sizeOf(from + index),
      })),
  };
}

/** Returns the plan of an upload. */
export function planOf({ totalBytes, road }: DirectUploadRecord): PartPlan {
  return partPlan(totalBytes, road.partBytes);
}

/** True for a receiving upload whose sender puts the parts into the bucket. */
export function isDirect(record: UploadRecord): record is DirectUploadRecord {
  return record.state === 'receiving' && record.road?.name === 'direct' && record.totalBytes !== null;
}
