// What listeners count.

/** What listeners count: one name per limit or failure, so that nothing is lost in silence. */
export const LISTEN_EVENTS = [
  'udp-receive-error',
  'udp-send-error',
  'udp-send-dropped',
  'udp-source-port-refused',
  'slow-refused',
  'tcp-accepted',
  'tcp-accept-error',
  'tcp-refused-total',
  'tcp-refused-client',
  'tcp-evicted-idle',
  'tcp-evicted-busy',
  'stream-memory-closed',
  'tcp-first-read-timeout',
  'tcp-idle-timeout',
  'tcp-write-timeout',
  'tcp-write-paused',
  'tcp-in-flight-paused',
  'tcp-queries-max',
  'tcp-garbage',
  'tcp-connection-error',
  'tls-handshake-error',
  'tls-evicted-handshake',
  'tls-client-refused',
  'tls-keylog-error',
  'tls-files-changed',
  'tls-files-unusable',
  'https-garbage',
  'https-streams-max',
  'https-bodies-max',
  'https-request-timeout',
] as const

export type ListenEvent = (typeof LISTEN_EVENTS)[number]

/**
 * Counts an event, once or `n` times. Called only where a limit bites or something fails, and once per
 * connection.
 */
export type CountListen = (event: ListenEvent, n?: number) => void
