// UDP by the best means that this machine has.

import type { ListenOptions, ListenResult } from './listener.ts'
import { listenUdpDgram } from './udp-dgram.ts'

/** Opens UDP sockets on `address`; an error is a value. Never throws. */
export const listenUdp = (options: ListenOptions): Promise<ListenResult> => listenUdpDgram(options)
