import t from 'tap'
import { addressKey, parseWeights } from '../../../src/plugin/loadbalance/weights.ts'
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
