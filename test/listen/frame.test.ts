import t from 'tap'
import { Carry, isGarbage } from '../../src/listen/frame.ts'
import fc from '../support/properties.ts'
import { ask, frame } from './fake-responder.ts'

t.test('a frame in any pieces is the frame, and what follows is left', async t => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 12, maxLength: 2000 }),
      fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }),
      fc.uint8Array({ maxLength: 20 }),
      (message, sizes, behind) => {
        const framed = frame(message)
        const stream = Buffer.concat([framed, behind])
        const carry = new Carry()
        let at = 0
        for (let i = 0; !carry.whole() && at < stream.length; i++) {
          const piece = stream.subarray(at, at + sizes[i % sizes.length]!)
          at += carry.take(piece, 0)
        }
        if (at !== framed.length) return false
        return Buffer.compare(carry.whole() ?? new Uint8Array(), framed) === 0
      },
    ),
  )
  t.pass()
})

t.test('memory follows what has come, not what the length promises', async t => {
  const carry = new Carry()
  carry.take(Uint8Array.of(0xff, 0xff, 1), 0)
  t.equal(carry.length, 3)
  t.equal(carry.whole(), undefined)
  carry.clear()
  t.equal(carry.length, 0)
})

t.test('what cannot become a query', async t => {
  const query = frame(ask('web'))
  for (let length = 0; length <= query.length; length++) {
    if (isGarbage(query, 0, length)) t.fail(`${length} octets of a query`)
  }
  const cases: [string, Uint8Array, boolean][] = [
    ['length 0', Uint8Array.of(0, 0), true],
    ['length 11', Uint8Array.of(0, 11), true],
    ['length 12', Uint8Array.of(0, 12), false],
    ['half a length', Uint8Array.of(0), false],
    ['HTTP', Buffer.from('POST /dns-query HTTP/1.1'), true],
    ['the beginning of HTTP', Buffer.from('GET / HTTP/'), false],
    ['SMB', Buffer.from('000000d4ff534d42720000000018', 'hex'), true],
  ]
  for (const [what, octets, garbage] of cases) t.equal(isGarbage(octets, 0, octets.length), garbage, what)
})
