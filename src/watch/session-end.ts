// What the end of a watch says: that it had its time, that its version leads nowhere, that the server knows no such watch.

import type { ApiError } from './api-error.ts'
import type { Beginning } from './session.ts'

/** The server ends a watch so much before or after its time at most. */
const END_TOLERANCE_MS = 2000

/** The watch had its time, or was to live longer than it can be believed in silence. */
export function isOver(
  session: Pick<Beginning, 'timeoutMs'>,
  error: ApiError | undefined,
  livedMs: number,
  silenceMs: number,
): boolean {
  if (error === undefined) return livedMs >= session.timeoutMs - END_TOLERANCE_MS
  return error.code === 'silence' && session.timeoutMs > silenceMs
}

/** Whether a server will not stream a complete state. */
export const refusesWatchList = (error: ApiError): boolean =>
  error.code === 'refused' || error.code === 'forbidden' || error.code === 'not-found'

/** Ends that say nothing against the server but something about the version: closed, 400, "too large" (504). */
export const isFruitless = (error: ApiError | undefined): boolean =>
  error === undefined || error.code === 'refused' || error.status === 504
