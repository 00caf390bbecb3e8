// The hash against its definition, whose form with two and four rounds gives the vectors that its authors publish.

import t from 'tap'
import { halfSipHash, randomSeed } from '../../src/shared/half-siphash.ts'
import fc from '../support/properties.ts'

const rotl = (word: number, bits: number): number => ((word << bits) | (word >>> (32 - bits))) >>> 0

/** HalfSipHash-c-d as its paper's reference code says it, with 32 bits of output. */
function reference(c: number, d: number, k0: number, k1: number, data: Uint8Array): number {
  const v = [k0 >>> 0, k1 >>> 0, (0x6c796765 ^ k0) >>> 0, (0x74656462 ^ k1) >>> 0] as [
    number,
    number,
    number,
    number,
  ]
  const round = (): void => {
    v[0] = (v[0] + v[1]) >>> 0
    v[1] = (rotl(v[1], 5) ^ v[0]) >>> 0
    v[0] = rotl(v[0], 16)
    v[2] = (v[2] + v[3]) >>> 0
    v[3] = (rotl(v[3], 8) ^ v[2]) >>> 0
    v[0] = (v[0] + v[3]) >>> 0
    v[3] = (rotl(v[3], 7) ^ v[0]) >>> 0
    v[2] = (v[2] + v[1]) >>> 0
    v[1] = (rotl(v[1], 13) ^ v[2]) >>> 0
    v[2] = rotl(v[2], 16)
  }
  const padded = Buffer.alloc((data.length & ~3) + 4)
  padded.set(data)
  padded[padded.length - 1] = data.length
  for (let at = 0; at < padded.length; at += 4) {
    const word = padded.readUInt32LE(at)
    v[3] = (v[3] ^ word) >>> 0
    for (let i = 0; i < c; i++) round()
    v[0] = (v[0] ^ word) >>> 0
  }
  v[2] = (v[2] ^ 0xff) >>> 0
  for (let i = 0; i < d; i++) round()
  return (v[1] ^ v[3]) | 0
}

t.test('the definition gives the published vectors', async t => {
  // HalfSipHash-2-4 of no octets, of 00, of 00 01, … under the key 00 01 … 07.
  const vectors = ['a9359f5b', '27475ab8', 'fa62a603', '8afee704', '2a6e4689']
  for (const [length, vector] of vectors.entries()) {
    const data = Uint8Array.from({ length }, (_, i) => i)
    const hash = Buffer.alloc(4)
    hash.writeInt32LE(reference(2, 4, 0x03020100, 0x07060504, data))
    t.equal(hash.toString('hex'), vector, `${length} octets`)
  }
})

t.test('the hash is what the definition says for one and three rounds', async () => {
  const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
  fc.assert(
    fc.property(word, word, fc.uint8Array({ maxLength: 40 }), fc.nat(5), (k0, k1, data, before) => {
      const octets = Uint8Array.of(...new Uint8Array(before).fill(7), ...data, 9)
      const hash = halfSipHash(k0, k1, octets, before, before + data.length)
      return hash === reference(1, 3, k0, k1, data)
    }),
  )
})

t.test('every seed is another', async t => {
  t.equal(new Set(Array.from({ length: 100 }, () => randomSeed().join())).size, 100)
})
