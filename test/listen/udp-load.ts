// A client of udp.test.ts on a thread of its own: keeps 20 queries in flight until it is terminated.

import { createSocket } from 'node:dgram'
import { workerData } from 'node:worker_threads'
import { ask } from './fixture.ts'

const { port } = workerData as { port: number }
const socket = createSocket('udp4')
socket.connect(port, '127.0.0.1')
socket.on('message', () => socket.send(ask('load')))
socket.once('connect', () => {
  for (let i = 0; i < 20; i++) socket.send(ask('load'))
})
