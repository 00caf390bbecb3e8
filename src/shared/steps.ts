// Work that is put down between two steps, so that whoever does it can see to others in between.

/** Work in steps of at most some tenths of a millisecond, and what comes of it. */
export type Steps<T> = Generator<void, T, void>

/** Does all that is left at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** Pieces of a loop's body that make one step. */
export const PIECES_A_STEP = 512

/** Merges in steps: the list in the order of `compare`, what is equal in the order that it had. The list itself stays as it is. */
export function* sorted<T>(list: readonly T[], compare: (a: T, b: T) => number): Steps<T[]> {
  let from: T[] = []
  for (let at = 0; at < list.length; at += PIECES_A_STEP) {
    for (const item of list.slice(at, at + PIECES_A_STEP).sort(compare)) from.push(item)
    yield
  }
  for (let width = PIECES_A_STEP; width < list.length; width *= 2) {
    const to: T[] = []
    for (let at = 0; at < from.length; at += 2 * width) {
      const middle = Math.min(at + width, from.length)
      const end = Math.min(at + 2 * width, from.length)
      let left = at
      let right = middle
      while (left < middle || right < end) {
        const takeLeft = right === end || (left < middle && compare(from[left]!, from[right]!) <= 0)
        to.push(from[takeLeft ? left++ : right++]!)
        if (to.length % PIECES_A_STEP === 0) yield
      }
    }
    from = to
  }
  return from
}
