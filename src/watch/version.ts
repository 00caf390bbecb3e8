// Versions of the API server's history. They are sent back and compared for equality as they are; since Kubernetes 1.35 those
// of one resource may be ordered, too (KEP-5504): a decimal number without leading zeros, of any length. Others are never ordered.

const NUMBER = /^[1-9]\d*$/

/**
 * Whether `version` is older than `before`, which the server has told already: then the history is another one than it was,
 * because a backup of etcd was restored. False where either of them is no number.
 */
export function ranBackwards(version: string, before: string): boolean {
  if (!NUMBER.test(version) || !NUMBER.test(before)) return false
  return version.length === before.length ? version < before : version.length < before.length
}
