// How this thread opens sockets to upstreams: in batches of system calls where they can be had, node's own where not.

import { loadedLibc } from '../../listen/libc.ts'
import type { OpenUdp } from './udp.ts'
import { UdpBatches } from './udp-batch.ts'
import { openDgram } from './udp-dgram.ts'

let batches: UdpBatches | undefined

export const openUdp: OpenUdp = (remote, sourceAddress, owner) => {
  const libc = loadedLibc()
  if (!libc) return openDgram(remote, sourceAddress, owner)
  batches ??= new UdpBatches(libc)
  return batches.open(remote, sourceAddress, owner)
}
