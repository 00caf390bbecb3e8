// The end of a connection whose peer does not read: with a reset, so that the kernel keeps nothing for it.

import type { Socket } from 'node:net'

/**
 * Closes `socket` and `raw` under it (the same where nothing is encrypted) at once. One that is being ended is closed without
 * a reset: libuv refuses that, and Node would never close it then.
 */
export function reset(socket: Socket, raw: Socket): void {
  if (!socket.writableEnded && !raw.writableEnded) raw.resetAndDestroy()
  else {
    socket.destroy()
    raw.destroy()
  }
}
