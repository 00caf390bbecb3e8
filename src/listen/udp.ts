// UDP by the best means that this machine has.

import type { ListenOptions, ListenResult } from './listener.ts'
import { listenUdpBatch } from './udp-batch.ts'
import { listenUdpDgram } from './udp-dgram.ts'

/** What `listenUdp` takes beyond every listener's options. */
export interface UdpOptions extends ListenOptions {
  /**
   * `dgram` keeps to node:dgram; `batch`, the default, takes batches where they can be had. The listener's
   * kind says.
   */
  readonly prefer?: 'batch' | 'dgram'
  /** Whether other threads may share the port; where the system cannot, they may not. */
  readonly reusePort?: boolean
}

/** Opens UDP sockets on `address`; an error is a value. Never throws. */
export async function listenUdp(options: UdpOptions): Promise<ListenResult> {
  const batch = options.prefer === 'dgram' ? undefined : await listenUdpBatch(options)
  return batch ?? listenUdpDgram(options)
}
