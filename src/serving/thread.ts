// The entry of a serving thread in a worker: loads what is native, and connects the thread with the port to the control thread.

import { parentPort, workerData } from 'node:worker_threads'
import { loadLibc } from '../listen/libc.ts'
import type { ThreadStart, ToThread } from './messages.ts'
import { ServingThread } from './serving-thread.ts'

const port = parentPort
if (!port) throw new Error('serving/thread.ts is the entry of a serving thread; start main.ts')
// First of all: a thread that is ended, or runs out of heap, while the native add-on loads takes the process with it.
await loadLibc()
const thread = new ServingThread(workerData as ThreadStart, message => port.postMessage(message))
process.on('uncaughtException', error => void thread.fail(error))
port.on('message', (message: ToThread) => thread.take(message))
