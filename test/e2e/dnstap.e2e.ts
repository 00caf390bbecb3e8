// What a receiver that others wrote (golang-dnstap, the reference) reads of Seamark's dnstap: over TCP and over a path, in full.

import { equal, match, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { query } from '../support/dns-client.ts'
import { eventually, freePorts, Program } from './processes.ts'
import { isBuilt, programPath } from './programs.ts'
import type { Suite } from './suite.ts'

/** One line of `dnstap -j`. */
interface Tapped {
  readonly type: string
  readonly identity: string
  readonly version: string
  readonly message: {
    readonly type: string
    readonly query_address?: string
    readonly socket_family: string
    readonly socket_protocol: string
    readonly query_message?: string
    readonly response_message?: string
  }
}

export const suite: Suite = {
  name: 'dnstap',
  async run(context) {
    if (context.world.subject !== 'seamark') return context.skip('dnstap', 'it is Seamark’s')
    if (!isBuilt('dnstap')) return context.skip('dnstap', 'dnstap is not built')
    const folder = context.scope.folder('dnstap')
    const [tcpPort] = (await freePorts(1)) as [number]
    const path = join(folder, 's')
    const ways: readonly (readonly [title: string, listen: readonly string[], endpoint: string])[] = [
      ['over TCP', ['-l', `127.0.0.1:${tcpPort}`], `tcp://127.0.0.1:${tcpPort}`],
      ['over a path', ['-u', path], path],
    ]
    for (const [title, listen, endpoint] of ways) {
      const file = join(folder, `${title.replaceAll(' ', '-')}.json`)
      Program.start(context.scope, folder, `dnstap-${title.at(-1)}`, [
        programPath('dnstap'),
        ...listen,
        '-j',
        '-w',
        file,
      ])
      const server = await context.serve('seamark', {
        server: [`dnstap ${endpoint} full {`, 'identity here', '}'],
      })
      await context.check(title, async () => {
        const name = 'nowhere.default.svc.cluster.local'
        await query(server.port, { name })
        const lines = await eventually('a response', () => {
          const read = readFileSync(file, 'utf8').trim().split('\n').filter(Boolean)
          const tapped = read.map(line => JSON.parse(line) as Tapped)
          return tapped.some(({ message }) => message.response_message?.includes(name)) && tapped
        })
        const [asked] = lines.filter(({ message }) => message.query_message?.includes(name))
        const [replied] = lines.filter(({ message }) => message.response_message?.includes(name))
        equal(asked?.message.type, 'CLIENT_QUERY')
        equal(replied?.message.type, 'CLIENT_RESPONSE')
        equal(replied?.identity, 'here')
        match(replied?.version ?? '', /^Seamark-/)
        equal(replied?.message.query_address, '127.0.0.1')
        ok(replied?.message.response_message?.includes('NXDOMAIN'))
      })
    }
  },
}
