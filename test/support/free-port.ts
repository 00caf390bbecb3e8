// Ports on loopback for servers that a test starts.

import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/** Ports below those that the kernel gives to sockets that ask for none, so that none of these takes one in between. */
const FIRST_PORT = 10_240
/** Each process has blocks of its own: what one of them opens anew, another has not taken or looked at meanwhile. */
const BLOCK_PORTS = 100
const BLOCKS = 220

/** Where this process begins to look for a block. */
let nextBlock = process.pid % BLOCKS
let nextPort = 0
let endPort = 0
/** One after another, so that a block is claimed once. */
let last: Promise<number> = Promise.resolve(0)

/** A port that UDP and TCP both had free a moment ago, and that nobody else is given. */
export function freePort(): Promise<number> {
  last = last.then(findPort)
  return last
}

async function findPort(): Promise<number> {
  for (;;) {
    if (nextPort === endPort) {
      nextPort = await claimBlock()
      endPort = nextPort + BLOCK_PORTS
    }
    const port = nextPort++
    if ((await isFree(createServer().listen(port, '127.0.0.1'))) && (await isFree(bound(port)))) return port
  }
}

/**
 * The first port of a block that is this process's from here on: a name of its own among the kernel's abstract sockets
 * (unix(7)) goes with the process, however it ends. Elsewhere the blocks of two processes may be the same one.
 */
async function claimBlock(): Promise<number> {
  for (let tried = 0; ; tried++) {
    const block = nextBlock++ % BLOCKS
    // All are taken, by this process most likely.
    if (process.platform !== 'linux' || tried === BLOCKS || (await isClaimed(`\0seamark-ports-${block}`)))
      return FIRST_PORT + block * BLOCK_PORTS
  }
}

async function isClaimed(name: string): Promise<boolean> {
  const claim = createServer().listen(name).unref()
  return listens(claim)
}

function bound(port: number): UdpSocket {
  const socket = createSocket('udp4')
  socket.bind(port, '127.0.0.1')
  return socket
}

async function isFree(socket: Server | UdpSocket): Promise<boolean> {
  if (!(await listens(socket))) return false
  socket.close()
  await once(socket, 'close')
  return true
}

async function listens(socket: Server | UdpSocket): Promise<boolean> {
  try {
    await once(socket, 'listening')
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false
    throw error
  }
}
