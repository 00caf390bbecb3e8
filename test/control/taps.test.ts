// Followers of queries on the control thread: what they may ask for, and what comes back to each.

import t from 'tap'
import { FOLLOWERS_MAX, Taps } from '../../src/control/taps.ts'
import type { TapFilter, TapLine } from '../../src/observe/tap.ts'

function world() {
  const told: (readonly TapFilter[])[] = []
  const taps = new Taps({
    tell: filters => told.push(filters),
    podsOf: addresses => new Map(addresses.has('10.0.0.7') ? [['10.0.0.7', 'shop/curl']] : []),
    addressesOf: pods => ({ shop: ['10.0.0.7', '10.0.0.8'], 'shop/curl': ['10.0.0.7'], empty: [] })[pods],
  })
  return { taps, told }
}

const line = { client: '10.0.0.7', name: 'a.' } as TapLine

t.test('what is asked for', async t => {
  const cases: [request: object, filter: object][] = [
    [{}, {}],
    [{ client: '10.0.0.7', name: '' }, { clients: ['10.0.0.7'] }],
    [{ client: 'FD00::07' }, { clients: ['fd00::7'] }],
    [{ client: '10.0.0.0/8' }, { networks: ['10.0.0.0/8'] }],
    [{ pod: 'shop/curl' }, { clients: ['10.0.0.7'] }],
    [{ namespace: 'shop' }, { clients: ['10.0.0.7', '10.0.0.8'] }],
    [
      { name: 'example.org', type: 'aaaa', rcode: 'nxdomain', plugin: 'cache' },
      { name: 'example.org', qtype: 28, rcode: 3, plugin: 'cache' },
    ],
    [
      { minMs: '1.5', every: '10' },
      { minMs: 1.5, every: 10 },
    ],
  ]
  for (const [request, filter] of cases) {
    const { taps, told } = world()
    t.type(
      taps.follow({ ...request }, () => true),
      'function',
    )
    t.same(told, [[{ id: 1, every: 1, ...filter }]], JSON.stringify(request))
  }
})

t.test('what is wrong', async t => {
  const cases: [request: object, error: RegExp][] = [
    [{ client: 'shop' }, /^shop is neither an address nor a network$/],
    [{ pod: 'curl' }, /write NAMESPACE\/NAME/],
    [{ namespace: 'shop/curl' }, /write NAMESPACE$/],
    [{ namespace: 'empty' }, /no Pod of empty has an address/],
    [{ namespace: 'other' }, /no Pods are watched: write `pods verified`/],
    [{ name: 'a..b' }, /no domain name/],
    [{ type: 'X' }, /X is no record type/],
    [{ rcode: 'X' }, /X is no response code/],
    [{ minMs: '-1' }, /-1 is no number, at least 0/],
    [{ every: '0' }, /0 is no number, at least 1/],
    [{ every: '1.5' }, /1.5 is no number/],
  ]
  for (const [request, error] of cases) {
    const { taps, told } = world()
    t.match(
      taps.follow({ ...request }, () => true),
      error,
    )
    t.same(told, [], 'no thread is told')
  }
})

t.test('each gets its own lines, with the Pod; what it has no room for is counted and told', async t => {
  const { taps, told } = world()
  const lines: object[] = []
  let hasRoom = true
  const write = (one: object): boolean => {
    if (hasRoom) lines.push(one)
    return hasRoom
  }
  const end = taps.follow({}, write)
  taps.take([
    { id: 1, lines: [line], dropped: 2 },
    { id: 9, lines: [line], dropped: 0 },
  ])
  t.same(lines, [{ ...line, pod: 'shop/curl' }, { dropped: 2 }])
  hasRoom = false
  taps.take([{ id: 1, lines: [line, line], dropped: 1 }])
  hasRoom = true
  taps.take([{ id: 1, lines: [], dropped: 0 }])
  t.same(lines[2], { dropped: 3 })
  if (typeof end === 'function') end()
  t.same(told.at(-1), [], 'nobody follows')
  t.same(taps.filters, [])
})

t.test('a bound', async t => {
  const { taps } = world()
  for (let i = 0; i < FOLLOWERS_MAX; i++)
    t.type(
      taps.follow({}, () => true),
      'function',
    )
  t.match(
    taps.follow({}, () => true),
    /more than 8 follow already/,
  )
})
