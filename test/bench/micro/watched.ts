// An event of the watch, from the octets of its line to the slim object: an EndpointSlice of ten endpoints as the API server
// writes it, 3 kB of JSON.

import { LineSplitter } from '../../../src/watch/line-splitter.ts'
import { isProblem, slimEndpointSlice } from '../../../src/watch/slim.ts'
import { asStored, endpointSlice } from '../common/cluster.ts'
import type { MicroCase } from './case.ts'

export function watchedCases(): MicroCase[] {
  const addresses = Array.from({ length: 10 }, (_, i) => `10.1.0.${i + 1}`)
  const object = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    ...asStored(endpointSlice('demo', 'db-1', 'db', addresses)),
  }
  const line = JSON.stringify({ type: 'MODIFIED', object })
  const chunk = Buffer.from(`${line}\n`)
  let parsed: unknown
  const splitter = new LineSplitter(text => {
    parsed = JSON.parse(text)
  })
  const slim = slimEndpointSlice(object)
  if (slim === undefined || isProblem(slim)) throw new TypeError('the slice is not one')
  return [
    {
      title: `watch: line of ${chunk.length.toLocaleString('en')} octets, cut out and parsed`,
      run: () => splitter.push(chunk),
    },
    { title: 'watch: parsed slice to slim slice', run: () => slimEndpointSlice(object) },
    {
      title: 'watch: line to slim slice',
      run: () => {
        splitter.push(chunk)
        return slimEndpointSlice((parsed as { object: unknown }).object)
      },
    },
  ]
}
