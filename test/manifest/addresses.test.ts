import t from 'tap'
import { AddressBook, hash32, type PoolName, suffixOf } from '../../src/manifest/addresses.ts'
import type { ClusterState } from '../../src/manifest/compile.ts'
import { contains, parseCidr, parseIp } from '../../src/shared/ip.ts'
import fc, { runs } from '../support/properties.ts'
import { compileFiles, documents, manifest, service, workload } from './manifest-texts.ts'

const RANGES: Readonly<Record<PoolName, string>> = {
  podV4: '10.244.0.0/16',
  podV6: 'fd00:10:244::/64',
  serviceV4: '10.96.0.0/12',
  serviceV6: 'fd00:10:96::/112',
}

t.test('addresses lie in their ranges, and never twice', async t => {
  for (const [pool, range] of Object.entries(RANGES) as [PoolName, string][]) {
    const keys = Array.from({ length: 2000 }, (_, i) => `Service/default/web-${i}`)
    const given = new AddressBook().assign(pool, keys, new Set())
    const cidr = parseCidr(range)
    t.equal(new Set(given.values()).size, keys.length, pool)
    for (const text of given.values()) {
      const ip = parseIp(text)
      if (!cidr || !ip || !contains(cidr, ip) || ip.text !== text || /^10\..*\.(0|255)$/.test(text))
        t.fail(text)
    }
  }
})

t.test('the first 256 addresses of a range are left alone', async t => {
  const keys = Array.from({ length: 40_000 }, (_, i) => `${i}`)
  for (const pool of ['podV4', 'serviceV6'] as const) {
    const given = [...new AddressBook().assign(pool, keys, new Set()).values()]
    const low = given.filter(ip => /^10\.244\.0\.|^fd00:10:96::[0-9a-f]{0,2}$/.test(ip))
    t.same(low, [], pool)
  }
})

t.test('what is taken is given to nobody, and what was given is kept', async t => {
  const book = new AddressBook()
  const first = book.assign('podV4', ['a', 'b'], new Set())
  const a = first.get('a') ?? ''
  t.equal(book.assign('podV4', ['a', 'b', 'c'], new Set()).get('a'), a)
  const moved = book.assign('podV4', ['a', 'b'], new Set([a]))
  t.not(moved.get('a'), a, 'named by an object meanwhile')
  t.equal(moved.get('b'), first.get('b'))
  t.equal(
    new AddressBook().assign('podV4', ['b'], new Set()).get('b'),
    first.get('b'),
    'the same in another process',
  )
})

t.test('a key that meets another hash takes the next address', async t => {
  const key = 'a'
  const home = new AddressBook().assign('serviceV6', [key], new Set()).get(key) ?? ''
  const next = new AddressBook().assign('serviceV6', [key], new Set([home])).get(key) ?? ''
  const [here, there] = [home, next].map(ip => Number.parseInt(ip.split('::')[1] ?? '', 16))
  t.equal(there, (here ?? 0) + 1)
})

t.test('a pool that is used up leaves keys without address', async t => {
  const keys = Array.from({ length: 0xff00 + 5 }, (_, i) => `${i}`)
  t.equal(new AddressBook().assign('serviceV6', keys, new Set()).size, 0xff00)
})

t.test('hashes and suffixes stay what they are, or every address would move', async t => {
  const cases: [text: string, hash: number, suffix: string][] = [
    ['', 2872998923, 'svqcj'],
    ['a', 444641715, 'x2fx9'],
    ['Service/default/web', 3376385219, 'p4fkl'],
  ]
  for (const [text, hash, suffix] of cases) {
    t.equal(hash32(text), hash, text)
    t.equal(suffixOf(text), suffix, text)
  }
  const files = { 'a.yaml': documents(service('kubia-service', {}), workload('StatefulSet', 'my-db', 1)) }
  const { state } = compileFiles(files)
  t.same(state.Service.get('default/kubia-service')?.clusterIPs, ['10.97.25.37'])
  t.equal(state.Pod.get('default/my-db-0')?.ip, '10.244.224.21')
})

/** Every address by the object that has it. */
function addressesOf(state: ClusterState): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, { clusterIPs }] of state.Service) found.set(`Service ${key}`, clusterIPs.join())
  for (const [key, { ip }] of state.Pod) found.set(`Pod ${key}`, ip)
  return found
}

t.test('adding and removing files renumbers nothing else', async t => {
  const name = fc.integer({ min: 0, max: 30 }).map(i => `n${i}`)
  const text = fc.oneof(
    name.map(n => service(n, { selector: { app: n }, ipFamilyPolicy: 'PreferDualStack' })),
    fc.tuple(name, fc.integer({ min: 0, max: 4 })).map(([n, count]) => workload('ReplicaSet', n, count)),
    fc.tuple(name, fc.integer({ min: 0, max: 4 })).map(([n, count]) => workload('StatefulSet', n, count)),
    name.map(n => manifest('Pod', { name: n, namespace: 'b' })),
  )
  const file = fc.stringMatching(/^[a-z]{1,3}\.yaml$/)
  const edit = fc.record({ file, text: fc.option(fc.array(text, { minLength: 1, maxLength: 3 })) })
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 12 }), edits => {
      const book = new AddressBook()
      const files: Record<string, string> = {}
      let before = addressesOf(compileFiles(files, {}, book).state)
      for (const { file, text } of edits) {
        if (text) files[file] = documents(...text)
        else delete files[file]
        const after = addressesOf(compileFiles(files, {}, book).state)
        for (const [object, address] of after) {
          const known = before.get(object)
          if (known !== undefined && known !== address) return false
        }
        if (new Set(after.values()).size !== after.size) return false
        before = after
      }
      return true
    }),
    { numRuns: runs(60) },
  )
  t.pass('every object kept its address, and no two share one')
})
