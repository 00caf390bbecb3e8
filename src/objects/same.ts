// Whether two slim objects say the same. A relist brings every object again, and most changes in the API (status,
// annotations, managedFields) do not reach a slim object: what says the same stays the object it was, so that a relist
// retains no memory and whoever compares by identity sees at once what has changed.

/** Compares two values made of plain objects, lists, text, numbers and booleans, key by key. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!same(a[i], b[i])) return false
    return true
  }
  if (Array.isArray(b)) return false
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  let keys = 0
  for (const key in left) {
    if (!same(left[key], right[key])) return false
    keys++
  }
  for (const _ in right) keys--
  return keys === 0
}
