// How much the kernel may keep for a connection. Left to itself it grows a send buffer to megabytes for a peer that has once
// read fast, and charges them to the container (cgroup v2): a few connections that are then no longer read would fill it.
// What is set on a listening socket holds for every connection that it accepts (Linux).

import type { Server } from 'node:net'
import { LINUX, loadLibc } from './libc.ts'

/**
 * Octets of each direction; the kernel doubles them, for what it needs beside the data. The largest reply fits (RFC 1035 4.2.2):
 * the rest of one that does not would wait for an acknowledgement, which a peer may delay by 40 ms.
 */
const SEND_OCTETS = 64 * 1024
const RECEIVE_OCTETS = 32 * 1024

/** Bounds the kernel's buffers of all connections to come, where the system calls can be had; elsewhere they stay as they are. */
export async function boundBuffers(server: Server): Promise<void> {
  const libc = await loadLibc()
  const fd = descriptorOf(server)
  if (!libc || fd === undefined) return
  for (const [name, octets] of [
    [LINUX.SO_SNDBUF, SEND_OCTETS],
    [LINUX.SO_RCVBUF, RECEIVE_OCTETS],
  ] as const) {
    const value = new Uint8Array(Int32Array.of(octets).buffer)
    libc.setsockopt(fd, LINUX.SOL_SOCKET, name, value, value.length)
  }
}

/** Node has no word for it. */
function descriptorOf(server: Server): number | undefined {
  const handle: unknown = '_handle' in server ? server._handle : undefined
  const fd: unknown = typeof handle === 'object' && handle && 'fd' in handle ? handle.fd : undefined
  return typeof fd === 'number' && fd >= 0 ? fd : undefined
}
