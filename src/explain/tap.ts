// `seamark tap`: the queries of a server as they are answered, a line each, until it is interrupted. It asks the administration
// socket of the server (control/admin.ts), which sends a line of JSON for each.

import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import type { TapLine } from '../observe/tap.ts'
import { type AdminAddress, adminAddressText, parseAdminAddress } from '../shared/admin-socket.ts'
import { livingSockets } from './command.ts'

export interface TapCommandOptions {
  readonly json: boolean
  /** '' for the one that this user runs here. */
  readonly server: string
  /** Lines after which it ends; 0 for no end. */
  readonly count: number
  /** What is to be seen, by the names that the server has for it (control/taps.ts). */
  readonly filter: Readonly<Record<string, string>>
}

/** Prints queries until the server ends, or there were enough; the exit status: 0, or 2 where nothing can be followed. */
export async function tapCommand(
  { json, server, count, filter }: TapCommandOptions,
  print: (text: string) => void,
  complain: (text: string) => void,
): Promise<number> {
  const address =
    server === ''
      ? await ownAddress()
      : (parseAdminAddress(server) ?? `${server} is neither a path nor HOST:PORT`)
  if (typeof address === 'string') {
    complain(`seamark tap: ${address}\n`)
    return 2
  }
  return new Promise(resolve => {
    const socket = connect(address, () => socket.write(`${JSON.stringify({ command: 'tap', ...filter })}\n`))
    let lines = 0
    let isOver = false
    const end = (status: number, text = ''): void => {
      isOver = true
      if (text !== '') complain(`seamark tap: ${text}\n`)
      socket.destroy()
      resolve(status)
    }
    socket.on('error', error =>
      end(2, `the server at ${adminAddressText(address)} does not answer: ${error.message}`),
    )
    createInterface({ input: socket }).on('line', line => {
      if (isOver) return
      const said = JSON.parse(line) as Partial<TapLine> & {
        readonly error?: string
        readonly dropped?: number
      }
      if (said.error !== undefined) end(2, said.error)
      else if (said.dropped !== undefined)
        complain(`${said.dropped} queries are not shown: there are too many; --every N shows one of N\n`)
      else {
        print(json ? `${line}\n` : tapText(said as TapLine))
        if (++lines === count) end(0)
      }
    })
    socket.on('close', () => resolve(0))
  })
}

/** A line for a person. */
export function tapText({
  time,
  client,
  port,
  pod,
  name,
  type,
  proto,
  rcode,
  plugin,
  durationMs,
  octets,
}: TapLine): string {
  const who = pod === undefined ? '' : ` (${pod})`
  const by = plugin === '' ? '' : ` ${plugin}`
  return `${time} ${client}:${port}${who} ${type} ${name} ${proto} ${rcode}${by} ${octets} ${durationMs}ms\n`
}

async function ownAddress(): Promise<AdminAddress | string> {
  const [own, ...others] = await livingSockets()
  if (own === undefined)
    return 'no server of this user listens here: write `admin` in its Corefile, and name the address with --server'
  return others.length === 0
    ? own
    : `several servers run here: ${[own, ...others].map(({ path }) => path).join(', ')}; name one with --server`
}
