// A client of the UDP tests on a thread of its own: eight sockets keep 20 queries in flight each until they are told to
// stop; then it tells how many were sent and how many of them were never answered.

import { createSocket } from 'node:dgram'
import { parentPort, workerData } from 'node:worker_threads'
import { ask } from './fake-responder.ts'

const SOCKETS = 8
const IN_FLIGHT = 20
const PATIENCE_MS = 500

const { port } = workerData as { port: number }
let sent = 0
let answered = 0
let stopped = false

for (let i = 0; i < SOCKETS; i++) {
  const socket = createSocket('udp4')
  const send = (): void => {
    sent++
    socket.send(ask('load'))
  }
  socket.connect(port, '127.0.0.1')
  socket.on('message', () => {
    answered++
    if (!stopped) send()
  })
  // A port that nobody has for a moment.
  socket.on('error', () => undefined)
  socket.once('connect', () => {
    for (let n = 0; n < IN_FLIGHT; n++) send()
  })
}

parentPort?.once('message', () => {
  stopped = true
  setTimeout(() => parentPort?.postMessage({ sent, lost: sent - answered }), PATIENCE_MS)
})
