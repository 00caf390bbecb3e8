// The rows of `npm run bench`, as data: what is asked and how, what has to come back, and the goal.

import type { Row } from '../common/context.ts'
import {
  clusterIps,
  externals,
  headlessAddresses,
  headlessPorts,
  missing,
  searchPathWalk,
  wide,
} from '../common/queries.ts'
import { coresRow } from './cores-row.ts'
import { footprintRow } from './footprint-row.ts'
import { loadRow } from './load-row.ts'
import { oneThreadRow, podRow, tableRow, twoThreadsRow } from './memory-row.ts'
import { observedRow } from './observed-row.ts'
import { optInRow } from './opt-in-row.ts'
import { scaleRow } from './scale-row.ts'

const MISSING_NAMES = 10_000

export const ROWS: readonly Row[] = [
  loadRow({ id: 'a', title: 'A of a ClusterIP', queries: clusterIps, goalUs: 6.6 }),
  loadRow({
    id: 'headless',
    title: 'A of a headless service, 10 addresses',
    queries: headlessAddresses,
    goalUs: 7,
  }),
  loadRow({
    id: 'srv',
    title: 'SRV of a headless service, 10 endpoints, with glue',
    queries: headlessPorts,
    load: { edns: true },
    goalUs: 9,
    note: 'Knot adds no glue',
  }),
  loadRow({
    id: 'nxdomain',
    title: 'NXDOMAIN in the cluster zone',
    queries: () => missing(MISSING_NAMES),
    codes: { NXDOMAIN: 1 },
    goalUs: 7,
  }),
  loadRow({
    id: 'walk',
    title: "a Pod's search-path walk for 1,000 external names, A and AAAA",
    queries: (_, serial) => searchPathWalk(serial),
    codes: { NXDOMAIN: 0.75, NOERROR: 0.25 },
    fill: true,
    goalUs: 8,
  }),
  loadRow({
    id: 'cached',
    title: 'forwarded names, cached',
    queries: (_, serial) => externals(serial),
    fill: true,
    goalUs: 8,
  }),
  loadRow({
    id: 'tcp',
    title: 'A over 50 persistent TCP connections',
    queries: clusterIps,
    load: { transport: 'tcp' },
    subjects: ['seamark', 'coredns', 'coredns30', 'knot'],
    goalUs: 9,
  }),
  loadRow({
    id: 'steady-5000',
    title: 'A at a steady 5,000 queries/s',
    queries: clusterIps,
    load: { rate: 5000 },
    goalUs: 30,
  }),
  loadRow({
    id: 'steady-20000',
    title: 'A at a steady 20,000 queries/s',
    queries: clusterIps,
    load: { rate: 20_000 },
    goalUs: 20,
  }),
  loadRow({
    id: 'wide-50',
    title: 'A of a headless service of 50 endpoints',
    queries: () => wide(50),
    load: { edns: true },
  }),
  loadRow({
    id: 'wide-5000',
    title: 'A of a headless service of 5,000 endpoints, truncated',
    queries: () => wide(5000),
    // CoreDNS works at all that it was asked at once, 15 ms for each.
    load: { edns: true, outstanding: 50, timeoutSeconds: 5 },
  }),
  coresRow,
  observedRow,
  optInRow,
  tableRow,
  scaleRow,
  oneThreadRow,
  twoThreadsRow,
  podRow,
  footprintRow,
]
