// `policy` in the real process: clients of two namespaces by their addresses on the loopback network, one of them with connections
// that it does not read, and a policy that changes while it is asked.

import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { encodeQuestion, query } from '../support/dns-client.ts'
import { type FileText, serveCorefile } from '../support/served-corefile.ts'
import { until } from '../support/until.ts'
import { unharmed } from './one-block.ts'

const RED = '127.0.0.2'
const BLUE = '127.0.0.3'
const WEB = 'web.blue.svc.cluster.local'
const OWN = 'web.red.svc.cluster.local'
const skip = process.platform === 'linux' ? false : 'needs addresses on the loopback network'

const object = (kind: string, namespace: string, name: string, rest: string): string =>
  `apiVersion: v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: ${namespace}}\n${rest}\n---\n`
const pod = (namespace: string, ip: string): string =>
  object('Pod', namespace, 'a', `spec: {containers: [{name: a}]}\nstatus: {phase: Running, podIP: ${ip}}`)
const MANIFESTS = [
  'apiVersion: v1\nkind: Namespace\nmetadata: {name: blue, labels: {closed: "yes"}}\n---\n',
  pod('red', RED),
  pod('blue', BLUE),
  object('Service', 'red', 'web', 'spec: {clusterIP: 10.96.0.1, ports: [{port: 80}]}'),
  object('Service', 'blue', 'web', 'spec: {clusterIP: 10.96.0.2, ports: [{port: 80}]}'),
].join('')

const corefile =
  (policy: string): FileText =>
  ports =>
    `.:${ports.dns} {\nbind 127.0.0.1\nprometheus 127.0.0.1:${ports.metrics}\npolicy {\n${policy}\n}\nkubernetes cluster.local {\nmanifests manifests\npods verified\n}\n}\n`

const KEPT = corefile('deny from red to label:closed')

const served = (t: Test) => serveCorefile(t, KEPT, { files: { 'manifests/all.yaml': MANIFESTS } })

/** The response code, and the address where there is one. */
async function ask(port: number, localAddress: string, name: string, tcp = false): Promise<string> {
  const { rcode, records } = await query(port, { name, localAddress, tcp })
  return [rcode, ...records.answer.map(({ data }) => data)].join(' ')
}

t.test('connections that are not read, and everybody is told what is theirs', { skip }, async t => {
  const place = await served(t)
  const questions = Buffer.concat(
    Array.from({ length: 2000 }, (_, id) => {
      const packet = encodeQuestion({ name: id % 2 ? WEB : OWN }, id)
      return Buffer.concat([Buffer.of(packet.length >> 8, packet.length & 255), packet])
    }),
  )
  const sockets: Socket[] = []
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  for (let i = 0; i < 30; i++) {
    const socket = connect({ port: place.port, host: '127.0.0.1', localAddress: RED })
    socket.on('error', () => undefined).pause()
    sockets.push(socket)
    socket.write(questions)
  }
  for (const tcp of [false, true])
    for (let i = 0; i < 10; i++) {
      t.equal(await ask(place.port, RED, WEB, tcp), 'NXDOMAIN')
      t.equal(await ask(place.port, RED, OWN, tcp), 'NOERROR 10.96.0.1')
      t.equal(await ask(place.port, BLUE, WEB, tcp), 'NOERROR 10.96.0.2')
      t.equal(await ask(place.port, '127.0.0.4', WEB, tcp), 'NOERROR 10.96.0.2', 'nobody has the default')
    }
  await unharmed(t, place)
})

t.test('a policy that changes while it is asked: every reply is by one of the two', { skip }, async t => {
  const place = await served(t)
  const heard = new Map<string, number>()
  let isOver = false
  const asking = Array.from({ length: 4 }, async (_, i) => {
    while (!isOver) {
      const said = await ask(place.port, RED, WEB, i % 2 === 0)
      heard.set(said, (heard.get(said) ?? 0) + 1)
      t.equal(await ask(place.port, BLUE, WEB, i % 2 === 1), 'NOERROR 10.96.0.2')
    }
  })
  for (let round = 0; round < 3; round++) {
    const opened = heard.get('NOERROR 10.96.0.2') ?? 0
    await place.reload(corefile('default allow'))
    t.equal(await ask(place.port, RED, WEB), 'NOERROR 10.96.0.2', 'it is opened')
    await until('another client’s answer', () => (heard.get('NOERROR 10.96.0.2') ?? 0) > opened)
    await place.reload(KEPT)
    t.equal(await ask(place.port, RED, WEB), 'NXDOMAIN', 'it is closed')
  }
  isOver = true
  await Promise.all(asking)
  t.same([...heard.keys()].sort(), ['NOERROR 10.96.0.2', 'NXDOMAIN'])
  await unharmed(t, place)
})
