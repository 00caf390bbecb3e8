// Server cookies: the worked examples of RFC 9018 appendix A, who gets a new cookie and when, and what the server answers to
// queries that carry one.

import t from 'tap'
import { sockaddr } from '../../src/query/sockaddr.ts'
import {
  COOKIE_SECRET_OCTETS,
  type CookieState,
  ServerCookies,
  writeCookieHash,
} from '../../src/serving/cookies.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const CLIENT = hex('2464c4abcf10c957')
const ADDRESS = '198.51.100.100'
const MINUTE_MS = 60_000

t.test('RFC 9018 appendix A', async t => {
  const first = 'e5e973e5a6b2a43f48e7dc849e37bfcf'
  const examples: [what: string, secret: string, address: string, cookie: string][] = [
    ['A.1 a new cookie', first, '198.51.100.100', '2464c4abcf10c957010000005cf79f111f8130c3eee29480'],
    ['A.2 40 minutes later', first, '198.51.100.100', '2464c4abcf10c957010000005cf7a871d4a564a1442aca77'],
    ['A.3 reserved bits set', first, '203.0.113.203', 'fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5'],
    ['A.3 another client', first, '203.0.113.203', 'fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e'],
    [
      'A.4 an IPv6 client, the secret before',
      'dd3bdf9344b678b185a6f5cb60fca715',
      '2001:db8:220:1:59de:d0f4:8769:82b8',
      '22681ab97d52c298010000005cf7c57926556bd0934c72f8',
    ],
    [
      'A.4 an IPv6 client, the secret after',
      '445536bcd2513298075a5d379663c962',
      '2001:db8:220:1:59de:d0f4:8769:82b8',
      '22681ab97d52c298010000005cf7c609a6bb79d16625507a',
    ],
  ]
  for (const [what, secret, address, cookie] of examples) {
    const hash = new Uint8Array(8)
    writeCookieHash(hex(secret), hex(cookie), sockaddr(address, 53)!, 0, hash)
    t.same(hash, hex(cookie).subarray(16), what)
  }
})

const judgeBy = (cookies: ServerCookies, data: Uint8Array, address: string): CookieState =>
  cookies.judge(Uint8Array.of(7, ...data, 7), 1, data.length, Uint8Array.of(7, ...sockaddr(address, 53)!), 1)

class World {
  readonly clock = new VirtualClock()
  readonly cookies = new ServerCookies(new Uint8Array(COOKIE_SECRET_OCTETS).fill(7), this.clock)

  /** What becomes of the data of a COOKIE option, somewhere in a message. */
  judge(data: Uint8Array, address = ADDRESS): { readonly state: CookieState; readonly cookie: Uint8Array } {
    const state = judgeBy(this.cookies, data, address)
    return { state, cookie: this.cookies.cookie.slice() }
  }

  /** A cookie as a client has it after its first query. */
  learned(address = ADDRESS): Uint8Array {
    return this.judge(CLIENT, address).cookie
  }
}

t.test('a client cookie alone gets a whole one', async t => {
  const world = new World()
  const { state, cookie } = world.judge(CLIENT)
  t.equal(state, 'client')
  t.equal(cookie.length, 24)
  t.same(cookie.subarray(0, 8), CLIENT, "the client's half comes back")
  t.same([...cookie.subarray(8, 12)], [1, 0, 0, 0], 'version 1, nothing reserved')
  t.equal(Buffer.from(cookie).readUInt32BE(12), Math.floor(world.clock.wallMs() / 1000), 'the time')
})

t.test('a cookie of ours is valid for an hour, and replaced in its second half', async t => {
  const world = new World()
  const cookie = world.learned()
  t.match(world.judge(cookie), { state: 'valid', cookie }, 'at once')
  world.clock.advance(29 * MINUTE_MS)
  t.match(world.judge(cookie), { state: 'valid', cookie }, 'after 29 minutes')
  world.clock.advance(2 * MINUTE_MS)
  const renewed = world.judge(cookie)
  t.equal(renewed.state, 'valid', 'after 31 minutes')
  t.notSame(renewed.cookie, cookie, 'another one comes back')
  t.equal(world.judge(renewed.cookie).state, 'valid')
  world.clock.advance(30 * MINUTE_MS)
  t.equal(world.judge(cookie).state, 'invalid', 'after 61 minutes')
})

t.test('every secret lasts a day, and its last cookies an hour longer', async t => {
  const world = new World()
  const dayMs = 24 * 60 * MINUTE_MS
  world.clock.advance(dayMs - (world.clock.wallMs() % dayMs) - MINUTE_MS)
  const cookie = world.learned()
  world.clock.advance(2 * MINUTE_MS)
  t.equal(world.judge(cookie).state, 'valid', 'the day before')
  t.equal(world.judge(world.learned()).state, 'valid', 'today')
  t.equal(world.judge(cookie).state, 'valid', 'the day before once more')
})

t.test('what is not ours', async t => {
  const world = new World()
  const cookie = world.learned()
  const changed = (at: number): Uint8Array => cookie.map((octet, i) => (i === at ? octet ^ 1 : octet))
  for (const at of [0, 7, 8, 9, 11, 15, 16, 23]) {
    t.equal(world.judge(changed(at)).state, 'invalid', `octet ${at} changed`)
  }
  t.equal(world.judge(cookie, '198.51.100.101').state, 'invalid', 'from another address')
  t.equal(
    world.judge(world.learned('2001:db8::1'), '2001:db8::2').state,
    'invalid',
    'from another v6 address',
  )
  t.equal(world.judge(cookie.subarray(0, 16)).state, 'invalid', 'too short')
  t.equal(world.judge(Uint8Array.of(...cookie, 0)).state, 'invalid', 'too long')
  const other = new ServerCookies(new Uint8Array(COOKIE_SECRET_OCTETS), world.clock)
  t.equal(judgeBy(other, cookie, ADDRESS), 'invalid', 'of another server')
  t.same(
    world.judge(changed(20)).cookie,
    cookie,
    'nothing of it comes back: the client gets a cookie of ours',
  )
})

t.test('a clock that is behind', async t => {
  const world = new World()
  const cookie = world.learned()
  world.clock.stepWall(-4 * MINUTE_MS)
  t.equal(world.judge(cookie).state, 'valid', 'by 4 minutes')
  world.clock.stepWall(-2 * MINUTE_MS)
  t.equal(world.judge(cookie).state, 'invalid', 'by 6 minutes')
})

t.test('after 2106 the timestamp begins anew', async t => {
  const world = new World()
  world.clock.stepWall(0x1_0000_0000 * 1000 - world.clock.wallMs() - MINUTE_MS)
  const cookie = world.learned()
  world.clock.advance(2 * MINUTE_MS)
  t.equal(world.judge(cookie).state, 'valid')
})
