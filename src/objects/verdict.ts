// What becomes of an object that asks for something: it is served, or it is not, and why. The same on every replica.

/** Why an object is not served, as conditions of its status name it. */
export type Refusal =
  | 'Invalid'
  | 'NotDelegated'
  | 'NotServed'
  | 'OwnZone'
  | 'Conflict'
  | 'TooMany'
  | 'TooLarge'

export interface Verdict {
  /** Absent where it is served. */
  readonly refusal?: Refusal
  /** In a sentence: what is served, or why it is not. */
  readonly message: string
  /** Refused as it is now, and served as it was before. */
  readonly isFormerServed?: boolean
}

/** Orders objects that claim the same, the older first; those of one second by a name. */
export const olderFirst =
  <T extends { readonly createdMs: number }>(nameOf: (each: T) => string) =>
  (a: T, b: T): number => {
    const [left, right] = [nameOf(a), nameOf(b)]
    return a.createdMs - b.createdMs || (left < right ? -1 : left > right ? 1 : 0)
  }

/** Whether two say the same. */
export const sameVerdict = (a: Verdict | undefined, b: Verdict | undefined): boolean =>
  a?.refusal === b?.refusal && a?.message === b?.message
