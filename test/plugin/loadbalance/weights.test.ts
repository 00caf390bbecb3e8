import t from 'tap'
import { addressKey, parseWeights, WeightIndex } from '../../../src/plugin/loadbalance/weights.ts'
import { parseIp } from '../../../src/shared/ip.ts'
import { name, nameKey } from '../../../src/wire/name.ts'

t.test('a weight file', async t => {
  const text = `
# comment
WWW.example.com
100.64.1.1 3
  100.64.1.2\t1
fd00:0::1 255
100.64.1.1 9

other.example.com.
10.0.0.1 2
www.example.com
100.64.1.3 7
`
  const weights = parseWeights(text)
  if (typeof weights === 'string') throw new Error(weights)
  const keyed = (entries: readonly [address: string, weight: number][]) =>
    entries.map(([address, weight]) => [addressKey(parseIp(address)!.bytes), weight])
  t.same(
    [...weights.get(nameKey(name('www.example.com.')))!],
    keyed([
      ['100.64.1.1', 3],
      ['100.64.1.2', 1],
      ['fd00::1', 255],
      ['100.64.1.3', 7],
    ]),
  )
  t.same([...weights.get(nameKey(name('other.example.com.')))!], keyed([['10.0.0.1', 2]]))
  t.equal(weights.size, 2)
  const index = new WeightIndex(weights)
  const weightsOf = (owner: string, ...addresses: string[]): number[] => {
    const octets = name(owner)
    index.open(octets, octets.length)
    return addresses.map(address => {
      const { bytes } = parseIp(address)!
      return index.weightOf(bytes, 0, bytes.length)
    })
  }
  t.same(
    weightsOf('www.example.com.', '100.64.1.3', 'fd00::1', '100.64.1.2', '100.64.1.1'),
    [7, 255, 1, 3],
    'in any order',
  )
  t.same(weightsOf('www.example.com.', '100.64.1.9', '100.64.1.1'), [1, 3], 'one that is not listed')
  t.same(weightsOf('other.example.com.', '10.0.0.1', '100.64.1.1'), [2, 1])
  t.same(weightsOf('none.example.com.', '10.0.0.1'), [1], 'a name that is not listed')
})

t.test('what is wrong with a weight file', async t => {
  const cases: [text: string, problem: string][] = [
    ['a.org\n10.0.0.1', 'line 2: the address 10.0.0.1 has no weight'],
    ['a..org', 'line 1: a..org is no domain name'],
    ['10.0.0.1 3', 'line 1: a domain name must come before the first address'],
    ['a.org\nb 3', 'line 2: b is no IP address'],
    ['a.org\n10.0.0.1 0', 'line 2: the weight 0 is not a number from 1 to 255'],
    ['a.org\n10.0.0.1 256', 'line 2: the weight 256 is not a number from 1 to 255'],
    ['a.org\n10.0.0.1 -1', 'line 2: the weight -1 is not a number from 1 to 255'],
    ['a.org\n10.0.0.1 1 1', 'line 2: neither a name nor an address with its weight'],
  ]
  for (const [text, problem] of cases) t.equal(parseWeights(text), problem)
})
