// The fault matrix by number: what breaks, in a few words, and where it is shown. Tests take their titles from here, so
// that a row without a test is seen. Rows 32 to 36 are about the whole server and not about the watch.

const ROWS: Readonly<Record<number, string>> = {
  1: 'API absent at start',
  2: 'API killed for ten minutes',
  3: 'API paused with its sockets open',
  4: 'watch goes silent without FIN',
  5: 'event lost on a healthy connection',
  6: '410 Gone as HTTP status',
  7: '410 as ERROR event inside a 200 stream',
  8: 'stale watch closed again and again without 410',
  9: 'object deleted while disconnected',
  10: '429 with Retry-After',
  11: '500, 502, 503, 504 with an HTML body',
  12: 'stream cut in the middle of an event',
  13: 'invalid JSON, wrong kind, huge line',
  14: 'events in chunks of one octet and a thousand in one chunk',
  15: 'bookmarks',
  16: 'resourceVersion goes backwards, is not a number, repeats',
  17: 'paged list with 410 in the middle',
  18: 'list of 10,000 services and 10,000 slices',
  19: 'duplicate slices, slice before its service',
  20: 'slice moves between services',
  21: 'malformed objects',
  22: 'namespace deleted',
  23: 'service changes its type',
  24: 'clusterIP reused by another service',
  25: 'endpoint ready, terminating, gone',
  26: 'family added and removed',
  27: '403 on slices only',
  28: '401 after token expiry',
  29: 'CA rotated',
  30: 'two API servers, one lagging',
  31: 'wall clock jumps',
  32: 'SIGTERM',
  33: 'memory limit',
  34: 'upstream dead, slow, flapping, lying',
  35: 'A and AAAA from one client port',
  36: 'configuration reloaded with an error',
  37: 'a backup of etcd is restored',
}

/** The title of a test for a row: `row 7: 410 as ERROR event …`. Throws for a number that is not in the matrix. */
export function row(number: number, detail = ''): string {
  const fault = ROWS[number]
  if (fault === undefined) throw new Error(`the fault matrix has no row ${number}`)
  return `row ${number}: ${fault}${detail && `, ${detail}`}`
}
