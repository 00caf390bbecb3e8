// Ports on loopback for servers that a test starts.

import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/** Ports below those that the kernel gives to sockets that ask for none, so that none of these takes one in between. */
const FIRST_PORT = 10_240
const PORTS = 22_000
/** Two processes that run at once have numbers close to each other: each begins elsewhere. */
let next = (process.pid * 97) % PORTS

/** A port that UDP and TCP both had free a moment ago, and that nobody else is given soon. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + (next++ % PORTS)
    if ((await isFree(createServer().listen(port, '127.0.0.1'))) && (await isFree(bound(port)))) return port
  }
}

function bound(port: number): UdpSocket {
  const socket = createSocket('udp4')
  socket.bind(port, '127.0.0.1')
  return socket
}

async function isFree(socket: Server | UdpSocket): Promise<boolean> {
  try {
    await once(socket, 'listening')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false
    throw error
  }
  socket.close()
  await once(socket, 'close')
  return true
}
