// Ports that another program, or another server, has already.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { portHolder } from '../../src/listen/held-ports.ts'
import { REUSE_PORT } from '../../src/listen/reuse-port.ts'
import { outputOf, spawnChild } from '../support/child-process.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'

const BOTH = ['udp', 'tcp'] as const
const skip = REUSE_PORT ? {} : { skip: 'ports are not shared here' }

t.test('nobody has it, and it is free again behind the question', skip, async t => {
  const port = await freePort()
  for (const address of ['127.0.0.1', '127.0.0.1', '0.0.0.0', ''])
    t.equal(await portHolder(address, port, BOTH), undefined)
  t.equal(
    await portHolder('192.0.2.1', port, BOTH),
    undefined,
    'an address that is not here is told by who opens it',
  )
})

t.test('who has it, over UDP and over TCP, by an address that takes the same packets', skip, async t => {
  const socket = createSocket({ type: 'udp4', reusePort: true }).bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  const udp = socket.address().port
  const server = createServer().listen({ port: 0, host: '127.0.0.1', reusePort: true })
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port: tcp } = server.address() as { port: number }
  const me = new RegExp(`process ${process.pid} has this port \\(\\S+node.*\\)$`)
  for (const address of ['127.0.0.1', '0.0.0.0', '']) {
    t.match(
      await portHolder(address, udp, BOTH),
      /^listening on (?:127\.0\.0\.1|0\.0\.0\.0):\d+ over UDP: /,
      address,
    )
    t.match(await portHolder(address, udp, BOTH), me)
    t.match(await portHolder(address, tcp, BOTH), /over TCP: /, address)
    t.match(await portHolder(address, tcp, BOTH), me)
  }
  t.equal(await portHolder('127.0.0.2', udp, BOTH), undefined, 'another address')
  t.equal(await portHolder('127.0.0.1', udp, ['tcp']), undefined, 'another transport')
})

t.test('another process, by its command', skip, async t => {
  const port = await freePort()
  const code = `require('node:dgram').createSocket({ type: 'udp4', reusePort: true }).bind(${port}, '127.0.0.1', () => console.log('bound'))`
  const child = spawnChild(process.execPath, ['-e', code])
  t.teardown(() => child.kill('SIGKILL'))
  const output = outputOf(child)
  await until('the port is bound', () => output().includes('bound'))
  t.match(
    await portHolder('', port, BOTH),
    new RegExp(`process ${child.pid} has this port \\(.*createSocket`),
  )
})
