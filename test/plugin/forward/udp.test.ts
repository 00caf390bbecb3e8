// Sockets to upstreams, by node and by system calls: what a turn sends and what comes, errors, and how long a socket lives.

import t from 'tap'
import {
  AGE_MAX_MS,
  ASKERS_MAX,
  type OpenUdp,
  QUESTIONS_MAX,
  SOCKETS,
  type UdpAsker,
  UdpSockets,
} from '../../../src/plugin/forward/udp.ts'
import { until } from '../../support/until.ts'
import { a, answerAll, nameOf, replyTo } from '../../support/upstream-stub.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { benchTo, startBench, startStub, WAYS } from './forward-bench.ts'

const LINE = 'NOERROR ra | www.example.org. 30 A c0000201'

for (const [way, open] of WAYS) {
  t.test(way, async t => {
    t.test('many questions in one turn, and their replies in any order', async t => {
      const held: (() => void)[] = []
      const { stub, bench } = await benchTo(
        t,
        (asked, back) => held.push(() => back.send(replyTo(asked, { answer: [a(nameOf(asked), 30)] }))),
        '',
        open,
      )
      const asking = Array.from({ length: 200 }, (_, i) => bench.line(`n${i}.example.org A`))
      await until('all questions', () => held.length === 200)
      for (const answer of held.reverse()) answer()
      t.strictSame(
        await Promise.all(asking),
        asking.map((_, i) => `NOERROR ra | n${i}.example.org. 30 A c0000201`),
      )
      t.equal(new Set(stub.asked.map(({ port }) => port)).size, 1, 'from one port')
    })

    t.test('nobody listens: the next one at once, and this one again when somebody does', async t => {
      const [dead, well] = [await startStub(t), await startStub(t)]
      await dead.pause()
      const bench = startBench(t, `forward . ${dead.to} ${well.to} {\nmax_fails 0\n}`, () => 0, { open })
      const startMs = bench.clock.nowMs()
      for (let i = 0; i < 50; i++) {
        const lines = ['a', 'b', 'c'].map(label => bench.line(`${label}${i}.example.org A`))
        t.ok((await Promise.all(lines)).every(line => line.startsWith('NOERROR')))
      }
      t.equal(bench.clock.nowMs(), startMs)
      await well.pause()
      await dead.resume()
      for (let i = 0; i < 50; i++) t.equal(await bench.line('www.example.org A'), LINE)
    })

    t.test('a source address, and one that is not ours', async t => {
      const { stub, bench } = await benchTo(t, answerAll, 'source_address 127.0.0.5', open)
      t.equal(await bench.line('www.example.org A'), LINE)
      t.equal(stub.asked[0]!.address, '127.0.0.5')
      const foreign = startBench(t, `forward . ${stub.to} {\nsource_address 192.0.2.200\n}`, undefined, {
        open,
      })
      t.match(await foreign.ask('www.example.org A'), {
        rcode: 2,
        error: /^dial udp .*: cannot assign requested address$/,
      })
    })
  })
}

/** What is asked behind it is asked in another turn. */
const turn = Promise.resolve()

interface Asker extends UdpAsker {
  failed: string | undefined
}

/** Sockets that send nothing, and askers who note what they hear. */
function quiet() {
  const clock = new VirtualClock()
  let opened = 0
  let closed = 0
  let refusal: string | undefined
  const open: OpenUdp = () => {
    if (refusal !== undefined) return { code: refusal }
    opened++
    return { local: undefined, send() {}, close: () => void closed++ }
  }
  const remote = { address: '192.0.2.1', port: 53 }
  const sockets = new UdpSockets({ remote, sourceAddress: undefined, clock, open })
  let asked = 0
  const ask = (): Asker => {
    const question = new Uint8Array(17)
    new DataView(question.buffer).setUint16(13, asked++ & 0xffff)
    const asker: Asker = {
      question: { question, questionEnd: 17, questionOctets: 17 },
      edns: false,
      socket: undefined,
      id: 0,
      slot: 0,
      sends: 0,
      heard: 0,
      failed: undefined,
      datagram() {},
      mismatch() {},
      udpFailed(text: string) {
        asker.failed = text
      },
    }
    sockets.ask(asker)
    return asker
  }
  const refuse = (code: string | undefined): void => {
    refusal = code
  }
  return { clock, sockets, ask, opened: () => opened, open: () => opened - closed, refuse }
}

t.test(
  'a socket is replaced after so many questions, and closed when nobody waits on it any more',
  async t => {
    const { sockets, ask, opened, open } = quiet()
    const early = ask()
    const { socket } = early
    let onFirst = 1
    for (let i = 1; i < 3 * SOCKETS * QUESTIONS_MAX; i++) {
      await turn
      const asker = ask()
      if (asker.socket === socket) onFirst++
      sockets.forget(asker)
    }
    t.equal(onFirst, QUESTIONS_MAX)
    t.ok(opened() >= 3 * SOCKETS && opened() <= 4 * SOCKETS, `${opened()} were opened`)
    t.equal(open(), SOCKETS + 1)
    t.equal(early.socket, socket, 'still waited for')
    sockets.forget(early)
    t.equal(open(), SOCKETS)
  },
)

t.test('no more questions than there is place for', async t => {
  const { sockets, ask } = quiet()
  const askers = Array.from({ length: ASKERS_MAX }, ask)
  t.ok(askers.every(({ failed }) => failed === undefined))
  t.match(ask().failed, /too many queries under way$/)
  sockets.forget(askers[0]!)
  t.equal(ask().failed, undefined)
  sockets.stop('over')
  t.ok(askers.slice(1).every(({ failed }) => failed === 'over'))
})

t.test('sockets that grow old are closed, though nobody asks, but for the youngest', async t => {
  const { clock, sockets, ask, opened, open } = quiet()
  for (let i = 0; i < 200; i++) {
    sockets.forget(ask())
    await turn
  }
  t.equal(open(), SOCKETS)
  clock.advance(2 * AGE_MAX_MS)
  t.equal(open(), 1)
  t.equal(clock.pending, 0, 'and nothing is waited for')
  const before = opened()
  const { socket } = ask()
  t.equal(opened(), before + 1, 'whoever asks next asks from another one')
  t.equal(socket?.openedMs, clock.nowMs())
})

t.test('where none can be opened any more those that are open do, however old', async t => {
  const { clock, sockets, ask, open, refuse } = quiet()
  refuse('EMFILE')
  t.match(ask().failed, /^dial udp .*too many open files$/)
  refuse(undefined)
  const first = ask().socket
  refuse('EMFILE')
  for (let i = 0; i < 2 * QUESTIONS_MAX; i++) {
    await turn
    clock.advance(AGE_MAX_MS / 100)
    const asker = ask()
    t.equal(asker.socket, first)
    sockets.forget(asker)
  }
  t.equal(open(), 1)
  refuse(undefined)
  let others = 0
  for (let i = 0; i < 10 * SOCKETS; i++) {
    await turn
    if (ask().socket !== first) others++
  }
  t.ok(others >= 9 * SOCKETS, 'until others can')
})
