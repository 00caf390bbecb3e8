// An event of the watch, from the octets that the API server sent to the slim object: an EndpointSlice of ten endpoints, in
// protocol buffers and as a line of JSON.

import { isProblem, slimEndpointSlice } from '../../../src/objects/slim.ts'
import { FrameSplitter } from '../../../src/watch/frame-splitter.ts'
import { LineSplitter } from '../../../src/watch/line-splitter.ts'
import { readEvent } from '../../../src/watch/protobuf-objects.ts'
import { ENDPOINT_SLICE } from '../../watch/real-frames.ts'
import { asStored, endpointSlice } from '../common/cluster.ts'
import type { MicroCase } from './case.ts'

interface Event {
  readonly object: unknown
}

/** The slim slice of an event. */
function slimOf({ object }: Event): object {
  const slim = slimEndpointSlice(object)
  if (slim === undefined || isProblem(slim)) throw new TypeError('the slice is not one')
  return slim
}

export function watchedCases(): MicroCase[] {
  const addresses = Array.from({ length: 10 }, (_, i) => `10.1.0.${i + 1}`)
  const object = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    ...asStored(endpointSlice('demo', 'db-1', 'db', addresses)),
  }
  const line = Buffer.from(`${JSON.stringify({ type: 'MODIFIED', object })}\n`)
  let slim: object | undefined
  const lines = new LineSplitter(text => {
    slim = slimOf(JSON.parse(text) as Event)
  })
  const frames = new FrameSplitter((octets, at, end) => {
    slim = slimOf(readEvent(octets, at, end) as Event)
  })
  const sized = ({ length }: Buffer): string => `${length.toLocaleString('en')} octets to slim slice`
  return [
    {
      title: `watch: frame of ${sized(ENDPOINT_SLICE)}`,
      run: () => {
        frames.push(ENDPOINT_SLICE)
        return slim
      },
    },
    {
      title: `watch: line of JSON of ${sized(line)}`,
      run: () => {
        lines.push(line)
        return slim
      },
    },
  ]
}
