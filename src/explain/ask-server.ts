// Asks a server at work over its administration socket (control/admin.ts).

import { connect } from 'node:net'
import { type AdminAddress, adminAddressText } from '../shared/admin-socket.ts'

/** A server that has not answered by then does not. */
const TIMEOUT_MS = 60_000
/** No report is as long. */
const ANSWER_MAX_OCTETS = 4 * 1024 * 1024

/** What the server says; an Error where nothing sensible comes. */
export function askServer(
  address: AdminAddress,
  request: object,
): Promise<Readonly<Record<string, unknown>> | Error> {
  const text = adminAddressText(address)
  return new Promise(resolve => {
    const chunks: Buffer[] = []
    let octets = 0
    const socket = connect(address, () => socket.end(`${JSON.stringify(request)}\n`))
    const fail = (why: string): void => {
      socket.destroy()
      resolve(new Error(`the server at ${text} does not answer: ${why}`))
    }
    socket.setTimeout(TIMEOUT_MS, () => fail('nothing came'))
    socket.on('error', error => fail(error.message))
    socket.on('data', chunk => {
      octets += chunk.length
      chunks.push(chunk)
      if (octets > ANSWER_MAX_OCTETS) fail('it says too much')
    })
    socket.on('end', () => {
      try {
        resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>)
      } catch {
        fail('what comes is no answer of a server of this kind')
      }
    })
  })
}
