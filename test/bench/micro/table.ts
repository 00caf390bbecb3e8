// The answer table: look-ups among few and many names, in an order that no processor cache likes, and updates.

import { serviceKey } from '../../../src/table/build.ts'
import { headless, SlimCluster, slimService, slimSlice } from '../../support/slim-cluster.ts'
import { shuffled } from '../common/queries.ts'
import { cycle, type MicroCase } from './case.ts'

const SIZES = [100, 10_000, 100_000]
const NAMESPACES = 100
/** What the EndpointSlice controller puts into one slice. */
const SLICE_ENDPOINTS = 100
const TABLE_OCTETS = 1 << 26

const namespaces = Array.from({ length: NAMESPACES }, (_, n) => `ns-${n}`)
const address = (n: number): string => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`

function lookupCase(size: number): MicroCase {
  const names = Array.from({ length: size }, (_, n) => ({
    namespace: `ns-${n % NAMESPACES}`,
    name: `web-${n}`,
  }))
  const cluster = new SlimCluster({}, {}, TABLE_OCTETS)
  cluster.list(
    namespaces,
    names.map(({ namespace, name }, n) => slimService(`${namespace}/${name}`, address(n))),
  )
  const { reader } = cluster
  const keys = shuffled(names.map(({ namespace, name }) => serviceKey(namespace, name)))
  // In one piece, in the order of asking: what is measured are the table's cache misses, not the keys'.
  const octets = Buffer.concat(keys)
  const ends = Int32Array.from(
    keys,
    (
      end => key =>
        (end += key.length)
    )(0),
  )
  let at = 0
  const run = (): number => {
    at = at + 1 === ends.length ? 0 : at + 1
    return reader.find(octets, at === 0 ? 0 : ends[at - 1]!, ends[at]!)
  }
  if (run() === 0) throw new TypeError('the table has not what was put into it')
  return {
    title: `table: look-up among ${size.toLocaleString('en')} names`,
    run,
    ...(size === SIZES.at(-1) ? { budget: { file: 'table/reader.ts', what: '100,000 names' } } : {}),
  }
}

/** One slice of a headless service changes and is published. */
function updateCase(endpoints: number): MicroCase {
  const all = Array.from({ length: endpoints }, (_, n) => address(n))
  const slices = Math.ceil(endpoints / SLICE_ENDPOINTS)
  const slice = (at: number, addresses: readonly string[]) => slimSlice(`demo/db-${at}`, 'db', addresses)
  const part = (at: number): string[] => all.slice(at * SLICE_ENDPOINTS, (at + 1) * SLICE_ENDPOINTS)
  const { cluster } = new SlimCluster({}, {}, TABLE_OCTETS).list(
    ['demo'],
    [headless('demo/db')],
    Array.from({ length: slices }, (_, at) => slice(at, part(at))),
  )
  const [, ...rest] = part(0)
  const next = cycle(['10.250.0.1', '10.250.0.2'].map(fresh => slice(0, [fresh, ...rest])))
  return {
    title: `table: update of one slice of a service of ${endpoints.toLocaleString('en')} endpoints`,
    run: () => cluster.upsert('EndpointSlice', next()),
  }
}

export const tableCases = (): MicroCase[] => [...SIZES.map(lookupCase), updateCase(10), updateCase(5000)]
