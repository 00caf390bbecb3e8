// The way of a packet down the handlers of a block and up again, at once and late: what each step means, what becomes of
// bugs, and what the client gets in the end.

import t from 'tap'
import { SILENCE } from '../../src/listen/responder.ts'
import { counterMemory, ThreadMeters } from '../../src/observe/counters.ts'
import { QueryMetersTable } from '../../src/observe/query-meters.ts'
import { ReasonMeters } from '../../src/observe/reason-meters.ts'
import type { Handler } from '../../src/plugin/plugin.ts'
import {
  AGAIN,
  BACK,
  DONE,
  DROP,
  LOOKUP,
  LOOKUPS_MAX,
  NEXT,
  type Packet,
  type Step,
  WAIT,
  type Waiting,
} from '../../src/query/packet.ts'
import { WaitingRoom } from '../../src/query/waiting.ts'
import { Packets } from '../../src/serving/packets.ts'
import { Road } from '../../src/serving/road.ts'
import type { ServedZone } from '../../src/serving/served-zone.ts'
import { FLAG_AA } from '../../src/wire/header.ts'
import { formatName, name } from '../../src/wire/name.ts'
import { RCODE } from '../../src/wire/rcode.ts'
import { CLASS, TYPE } from '../../src/wire/rrtype.ts'
import { SECTION } from '../../src/wire/walk.ts'
import { answerNow, ask, askNow } from '../support/asking.ts'
import { type Decoded, decodeMessage } from '../support/dns-message.ts'
import { encodeQuestion, type Question } from '../support/dns-question.ts'
import { extendedError } from '../support/extended-error.ts'
import { samplerInto, testThread } from '../support/words.ts'

/** Answers every question with one address of its name, or with as many as it says. */
const answers = (count = 1): Handler => ({
  handle(packet) {
    const { qname } = packet
    const composer = packet.compose()
    for (let i = 0; i < count; i++)
      composer.record(SECTION.ANSWER, qname, 0, TYPE.A, CLASS.IN, 60, Uint8Array.of(192, 0, 2, i), 0, 4)
    return packet.composed(RCODE.NOERROR, 0, FLAG_AA)
  },
})

/** Lets packets wait until the test goes on with them. */
class Waits implements Handler {
  readonly waiting: Waiting[] = []

  handle(packet: Packet): Step {
    const waiting = packet.park()
    if (!waiting) return DONE
    this.waiting.push(waiting)
    return WAIT
  }

  /** Goes on with the first one: the handler says this of it. */
  goOn(say: (packet: Packet) => Step): void {
    const packet = this.waiting.shift()!.wake()!
    packet.goOn(say(packet))
  }
}

/** Passes packets on, and notes when it had them; `say` says it in its place. */
const passes = (label: string, seen: string[], more: Partial<Handler> = {}): Handler => ({
  handle: () => {
    seen.push(`${label} down`)
    return BACK
  },
  back: () => {
    seen.push(`${label} up`)
    return DONE
  },
  ...more,
})

function served(zone: string, handlers: readonly Handler[], more: Partial<ServedZone> = {}): ServedZone {
  return {
    server: 'dns://:53',
    zone: name(zone),
    zoneText: zone,
    view: '',
    handlers,
    words: handlers.map(() => ''),
    gates: [...handlers.keys()].filter(at => handlers[at]!.admit !== undefined),
    lastWord: 'last',
    tables: [],
    fast: undefined,
    anyClass: false,
    nsid: undefined,
    reasons: true,
    udpMaxOctets: 1232,
    meters: undefined,
    ...more,
  }
}

function roadOf(zones: readonly ServedZone[], placesMax = 100) {
  const { context, cookies } = testThread()
  const bugs: string[] = []
  const room = new WaitingRoom(() => bugs.push('no place'), placesMax)
  const road = new Road({
    server: 'dns://:53',
    zones,
    idleTimeoutMs: 10_000,
    tables: [],
    clock: context.clock,
    cookies,
    room,
    packets: new Packets(),
    sampler: samplerInto([]),
    dropped: undefined,
    reasons: new ReasonMeters(context.meters),
    bug: (error, qname) => bugs.push(`${qname} ${(error as Error).message}`),
  })
  return { road, room, bugs }
}

const query = (question: string, more: Partial<Question> = {}): Uint8Array => {
  const [text = '', type = 'A'] = question.split(' ')
  return encodeQuestion({ name: text, type, ...more }, 4711)
}

/** `RCODE RECORD, RECORD`. */
const said = ({ rcode, answer }: Decoded): string => `${rcode} ${answer.join(', ')}`.trim()

t.test('down in order, up in the reverse order, at once and late', async t => {
  for (const late of [false, true]) {
    const seen: string[] = []
    const waits = new Waits()
    const handlers = [
      passes('a', seen),
      { handle: () => NEXT } as Handler,
      passes('b', seen),
      ...(late ? [waits] : []),
      answers(),
    ]
    const { road, room } = roadOf([served('.', handlers)])
    const { parked, came } = askNow(road, query('Www.Example.org'))
    t.equal(parked, late)
    if (late) {
      t.equal(room.waiting, 1)
      waits.goOn(() => NEXT)
    }
    t.equal(said(decodeMessage((await came) as Uint8Array)), 'NOERROR Www.Example.org. 60 IN A 192.0.2.0')
    t.same(seen, ['a down', 'b down', 'b up', 'a up'])
    t.equal(room.waiting, 0, 'its place is free')
  }
})

t.test('what is kept comes back, a number or anything else', async t => {
  const kept: unknown[] = []
  const keeps = (value: unknown): Handler => ({
    handle(packet) {
      if (value !== undefined) packet.keep(value)
      return BACK
    },
    back(_packet, back) {
      kept.push(back)
      return DONE
    },
  })
  const handlers = [keeps(7), keeps(undefined), keeps('x')]
  for (const late of [false, true]) {
    kept.length = 0
    const waits = new Waits()
    const { road } = roadOf([served('.', [...handlers, ...(late ? [waits] : []), answers()])])
    const { came } = askNow(road, query('a.org'))
    if (late) waits.goOn(() => NEXT)
    await came
    t.same(kept, ['x', undefined, 7])
  }
})

t.test('past the last handler it fails, and without any it refuses', async t => {
  const errors: (string | undefined)[] = []
  const hears: Handler = {
    handle: () => BACK,
    back(packet) {
      errors.push(packet.error)
      return DONE
    },
  }
  const { road } = roadOf([served('.', [hears]), served('empty.', [])])
  t.equal(said(decodeMessage(answerNow(road, query('a.org'))!)), 'SERVFAIL')
  t.same(errors, ['plugin/last: no next plugin found'])
  t.equal(said(decodeMessage(answerNow(road, query('a.empty'))!)), 'REFUSED')
})

t.test('dropped packets get nothing; who wants to know hears of them', async t => {
  const seen: string[] = []
  const wants = passes('wants', seen, {
    seesDrops: true,
    back: packet => {
      seen.push(packet.isDropped ? 'dropped' : 'answered')
      return DROP
    },
  })
  const { road } = roadOf([served('.', [passes('a', seen), wants, { handle: () => DROP }])])
  t.equal(answerNow(road, query('a.org')), undefined)
  t.same(seen, ['a down', 'wants down', 'dropped'])
})

t.test('a changed question is for the handlers behind; the client gets its own back', async t => {
  const behind: string[] = []
  const other = name('a-much-longer-name.Example.NET.')
  const changes: Handler = {
    handle(packet) {
      packet.ask(other, 0, other.length, TYPE.AAAA)
      return BACK
    },
    back(packet) {
      t.equal(formatName(packet.qname), formatName(other))
      packet.unask()
      t.equal(formatName(packet.qname), 'Www.example.ORG.')
      return DONE
    },
  }
  const waits = new Waits()
  const notes: Handler = {
    handle(packet) {
      const { folded, foldedLength, qtype } = packet.scan
      behind.push(`${formatName(folded.slice(0, foldedLength))} ${qtype}`)
      return NEXT
    },
  }
  for (const handlers of [
    [changes, notes, answers()],
    [changes, notes, waits, answers()],
  ]) {
    behind.length = 0
    const { road } = roadOf([served('.', handlers)])
    const { parked, came } = askNow(road, query('Www.example.ORG.', { edns: true }))
    if (parked) waits.goOn(() => NEXT)
    const reply = decodeMessage((await came) as Uint8Array)
    t.same(behind, ['a-much-longer-name.example.net. 28'])
    t.same(reply.question, ['Www.example.ORG. IN A'])
    t.same(reply.answer, ['a-much-longer-name.Example.NET. 60 IN A 192.0.2.0'])
    t.equal(reply.id, 4711)
  }
})

t.test('again and again, until there is an answer', async t => {
  const names = ['one.test.', 'two.test.', 'three.test.'].map(text => name(text))
  for (const late of [false, true]) {
    const tries: Handler = {
      handle: packet => {
        packet.keep(0)
        return BACK
      },
      back(packet, kept) {
        const tried = kept as number
        if (tried > 0) packet.unask()
        if (packet.rcode === RCODE.NOERROR || tried === names.length) return DONE
        packet.ask(names[tried]!, 0, names[tried]!.length, TYPE.A)
        packet.keep(tried + 1)
        return AGAIN
      },
    }
    const waits = new Waits()
    const knows: Handler = {
      handle: packet =>
        formatName(packet.qname) === 'two.test.' ? answers().handle(packet) : packet.fail(RCODE.NXDOMAIN),
    }
    const { road, room } = roadOf([served('.', [tries, ...(late ? [waits] : []), knows])])
    const { came } = askNow(road, query('zero.test'))
    for (let i = 0; late && i < 3; i++) {
      t.equal(room.waiting, 1, 'one place, however often it waits')
      waits.goOn(() => NEXT)
    }
    t.equal(said(decodeMessage((await came) as Uint8Array)), 'NOERROR two.test. 60 IN A 192.0.2.0')
    t.equal(room.waiting, 0)
  }
})

t.test('look-ups go through the whole server, now or later', async t => {
  const target = name('target.inner.')
  const looks: Handler = {
    handle(packet) {
      packet.wishName = target
      packet.wishType = TYPE.A
      packet.keep('kept')
      return LOOKUP
    },
    found(packet, kept, asked) {
      t.equal(kept, 'kept')
      const { qname } = packet
      const composer = packet.compose()
      composer.record(SECTION.ANSWER, qname, 0, TYPE.CNAME, CLASS.IN, 5, target, 0, target.length)
      for (const walk = asked.records(); walk.next(); ) composer.copy(walk)
      return packet.composed(asked.rcode, 0, FLAG_AA)
    },
  }
  for (const times of [0, 1, 2, 3]) {
    const seen: string[] = []
    const waits = Array.from({ length: times }, () => new Waits())
    const { road, room } = roadOf([
      served('outer.', [passes('front', seen), looks]),
      served('inner.', [...waits, answers()]),
    ])
    const { parked, came } = askNow(road, query('Alias.outer'))
    t.equal(parked, times > 0)
    for (const each of waits) {
      t.equal(room.waiting, 2, 'the look-up waits, however often, and who asked it')
      each.goOn(() => NEXT)
    }
    const reply = decodeMessage((await came) as Uint8Array)
    t.same(reply.answer, ['Alias.outer. 5 IN CNAME target.inner.', 'target.inner. 60 IN A 192.0.2.0'])
    t.same(seen, ['front down', 'front up'])
    t.equal(room.waiting, 0)
  }
})

t.test('a look-up whose asker finds no place to wait leaves its own', async t => {
  const looks: Handler = {
    handle(packet) {
      packet.wishName = name('target.inner.')
      packet.wishType = TYPE.A
      return LOOKUP
    },
  }
  const waits = new Waits()
  const { road, room, bugs } = roadOf([served('outer.', [looks]), served('inner.', [waits, answers()])], 1)
  for (let times = 0; times < 2; times++) {
    t.equal(said(decodeMessage(answerNow(road, query('alias.outer'))!)), 'REFUSED')
    t.equal(room.waiting, 0)
    t.equal(waits.waiting.pop()!.wake(), undefined, 'nobody goes on with it')
  }
  t.same(bugs, ['no place', 'no place'])
})

/** Asks for another name behind it. */
const asksFor = (other: string): Handler => ({
  handle(packet) {
    const qname = name(other)
    packet.ask(qname, 0, qname.length, TYPE.A)
    return BACK
  },
  back(packet) {
    packet.unask()
    return DONE
  },
})

t.test('who sees that a query is dropped sees the question of the client', async t => {
  const seen: string[] = []
  const sees: Handler = {
    handle: () => BACK,
    seesDrops: true,
    back(packet) {
      seen.push(formatName(packet.qname))
      return packet.isDropped ? DROP : DONE
    },
  }
  const { road, bugs } = roadOf([served('.', [sees, asksFor('other.'), { handle: () => DROP }])])
  t.equal(answerNow(road, query('asked.test')), undefined)
  t.same(seen, ['asked.test.'])
  t.same(bugs, [])
})

t.test(
  'a reply to another question that waits for a look-up is one to the question of the client',
  async t => {
    const looks: Handler = {
      handle: () => BACK,
      back(packet) {
        packet.wishName = name('target.inner.')
        packet.wishType = TYPE.A
        return LOOKUP
      },
      found: () => DONE,
    }
    const waits = new Waits()
    const { road } = roadOf([
      served('outer.', [looks, asksFor('other.outer.'), answers()]),
      served('inner.', [waits, answers()]),
    ])
    const { came } = askNow(road, query('asked.outer'))
    waits.goOn(() => NEXT)
    const octets = (await came) as Uint8Array
    const asked = query('asked.outer')
    t.same(octets.slice(12, asked.length), asked.slice(12))
  },
)

t.test('look-ups that lead to look-ups end', async t => {
  let looked = 0
  const loops: Handler = {
    handle(packet) {
      looked++
      packet.wishName = name('next.loop.')
      packet.wishType = TYPE.A
      return LOOKUP
    },
    found: (packet, _kept, asked) => packet.fail(asked.rcode),
  }
  const { road } = roadOf([served('loop.', [loops])])
  t.equal(said(decodeMessage(answerNow(road, query('a.loop'))!)), 'SERVFAIL')
  t.equal(looked, 1 + LOOKUPS_MAX)
})

t.test('a question that is asked for nobody', async t => {
  const heard: unknown[] = []
  const waits = new Waits()
  const asks: Handler = {
    handle(packet) {
      packet.behind().send('refresh')
      return packet.fail(RCODE.NXDOMAIN)
    },
    back(packet, kept) {
      heard.push([kept, formatName(packet.qname), packet.rcode, packet.transport])
      return DONE
    },
  }
  const { road, room } = roadOf([served('.', [asks, waits, answers()])])
  t.equal(
    said(decodeMessage(answerNow(road, query('a.org'))!)),
    'NXDOMAIN',
    'the client does not wait for it',
  )
  t.same(heard, [])
  t.equal(room.waiting, 0, 'nobody holds a place for it')
  waits.goOn(() => NEXT)
  t.same(heard, [['refresh', 'a.org.', 0, 'tcp']])
})

t.test('a bug is SERVFAIL and told, at once and late, and harms no other query', async t => {
  const throws = (): never => {
    throw new RangeError('a mistake')
  }
  const waits = new Waits()
  const parksAndThrows: Handler = {
    handle(packet) {
      waits.waiting.push(packet.park()!)
      return throws()
    },
  }
  const { road, room, bugs } = roadOf([
    served('down.', [{ handle: throws }]),
    served('up.', [{ handle: () => BACK, back: throws }, answers()]),
    served('late.', [{ handle: () => BACK, back: throws }, waits, answers()]),
    served('parked.', [parksAndThrows]),
    served('well.', [answers()]),
  ])
  for (const zone of ['down', 'up', 'late']) {
    const { parked, came } = askNow(road, query(`A.${zone}`, { edns: true }))
    if (parked) waits.goOn(() => NEXT)
    const reply = decodeMessage((await came) as Uint8Array)
    t.equal(reply.rcode, 'SERVFAIL', zone)
    t.equal(extendedError(reply.edns), '0 the server met a bug of its own', zone)
  }
  const reply = await ask(road, query('a.parked'))
  t.equal(said(decodeMessage(reply!)), 'SERVFAIL')
  t.equal(waits.waiting.shift()!.wake(), undefined, "its record is nobody's any more")
  t.same(bugs, ['a.down. a mistake', 'a.up. a mistake', 'a.late. a mistake', 'a.parked. a mistake'])
  t.equal(said(decodeMessage(answerNow(road, query('a.well'))!)), 'NOERROR a.well. 60 IN A 192.0.2.0')
  t.equal(room.waiting, 0)
})

t.test('no place to wait: REFUSED, and the handlers in front see it', async t => {
  const seen: string[] = []
  const waits = new Waits()
  const { road } = roadOf([served('.', [passes('front', seen), waits])], 1)
  const first = askNow(road, query('a.org'))
  t.ok(first.parked)
  const reply = decodeMessage((await ask(road, query('b.org', { edns: true })))!)
  t.equal(reply.rcode, 'REFUSED')
  t.equal(extendedError(reply.edns), '0 too many queries of this client, or of all, are under way')
  t.same(seen, ['front down', 'front down', 'front up'])
})

t.test('a reply is cut to what its client takes, options and OPT included', async t => {
  const { road } = roadOf([served('.', [answers(100)])])
  const cookie = { code: 10, data: new Uint8Array(8) }
  for (const [more, octetsMax] of [
    [{}, 512],
    [{ edns: true }, 1232],
    [{ edns: { udpSize: 700, options: [cookie] } }, 700],
  ] as const) {
    const octets = answerNow(road, query('a-name.example.org', more))!
    const reply = decodeMessage(octets)
    t.ok(octets.length <= octetsMax && octets.length > octetsMax - 16, `${octets.length} of ${octetsMax}`)
    t.ok(reply.flags.tc)
    t.ok(reply.answer.length > 20)
    t.equal(reply.edns !== undefined, Object.keys(more).length > 0)
  }
  const whole = decodeMessage((await ask(road, query('a-name.example.org'), { transport: 'tcp' }))!)
  t.equal(whole.answer.length, 100)
  t.notOk(whole.flags.tc)
})

t.test('what is counted: replies, drops and look-ups, by the block that served them', async t => {
  const slots = new ThreadMeters(counterMemory(), registration =>
    registrations.push(registration.values.join(' ')),
  )
  const registrations: string[] = []
  const meters = new QueryMetersTable(slots).of('dns://:53', 'a.', '')
  const { road } = roadOf([
    served(
      'a.',
      [{ handle: packet => (packet.scan.qtype === TYPE.MX ? DROP : packet.fail(RCODE.NXDOMAIN)) }],
      {
        meters,
      },
    ),
  ])
  answerNow(road, query('x.a'))
  t.equal(answerNow(road, query('x.a MX')) ?? SILENCE, SILENCE)
  t.ok(registrations.some(values => /NXDOMAIN/.test(values)))
  t.ok(
    registrations.some(values => /\bMX\b/.test(values)),
    'a query that gets no reply is one, too',
  )
})
