// The fields of Kubernetes objects that objects/slim.ts reads, by their numbers in protocol buffers (generated.proto of k8s.io/api core/v1
// and discovery/v1, and of k8s.io/apimachinery meta/v1 and runtime, 1.36), and the event of a watch that carries them.
// Custom resources are served as JSON only.
//
//   WatchEvent   1 type   2 object: RawExtension   1 raw:
//     "k8s" 00 Unknown   1 typeMeta (2 kind)   2 raw: the object

import type { Kind } from '../objects/objects.ts'
import { ApiError, messageOf } from './api-error.ts'
import { type Message, message, readMessage, type Span } from './protobuf.ts'

const META_FIELDS = {
  1: ['name', 'text'],
  3: ['namespace', 'text'],
  6: ['resourceVersion', 'text'],
  9: ['deletionTimestamp', 'span'],
  11: ['labels', 'map'],
  12: ['annotations', 'map'],
} as const
const META = message(META_FIELDS)
const DATED_META = message({
  ...META_FIELDS,
  8: ['creationTimestamp', message({ 1: ['seconds', 'integer'] })],
})

const PORT = message({ 1: ['name', 'text'], 2: ['protocol', 'text'], 3: ['port', 'integer'] })
const INGRESS = message({ 1: ['ip', 'text'], 2: ['hostname', 'text'] })

const SERVICE = message({
  1: ['metadata', DATED_META],
  2: [
    'spec',
    message({
      1: ['ports', PORT, 'repeated'],
      3: ['clusterIP', 'text'],
      4: ['type', 'text'],
      5: ['externalIPs', 'text', 'repeated'],
      10: ['externalName', 'text'],
      18: ['clusterIPs', 'text', 'repeated'],
      23: ['trafficDistribution', 'text'],
    }),
  ],
  3: ['status', message({ 1: ['loadBalancer', message({ 1: ['ingress', INGRESS, 'repeated'] })] })],
})

const HINT = message({ 1: ['name', 'text'] })

const ENDPOINT = message({
  1: ['addresses', 'text', 'repeated'],
  2: ['conditions', message({ 1: ['ready', 'boolean'] })],
  3: ['hostname', 'text'],
  4: ['targetRef', message({ 3: ['name', 'text'] })],
  6: ['nodeName', 'text'],
  7: ['zone', 'text'],
  8: ['hints', message({ 1: ['forZones', HINT, 'repeated'], 2: ['forNodes', HINT, 'repeated'] })],
})

const ENDPOINT_SLICE = message({
  1: ['metadata', META],
  2: ['endpoints', ENDPOINT, 'repeated'],
  3: ['ports', PORT, 'repeated'],
  4: ['addressType', 'text'],
})

const POD = message({
  1: ['metadata', META],
  2: ['spec', message({ 11: ['hostNetwork', 'boolean'] })],
  3: [
    'status',
    message({
      1: ['phase', 'text'],
      5: ['hostIP', 'text'],
      6: ['podIP', 'text'],
      12: ['podIPs', message({ 1: ['ip', 'text'] }), 'repeated'],
    }),
  ],
})

const NODE = message({
  1: ['metadata', META],
  2: ['spec', message({ 7: ['podCIDRs', 'text', 'repeated'] })],
  3: [
    'status',
    message({ 5: ['addresses', message({ 1: ['type', 'text'], 2: ['address', 'text'] }), 'repeated'] }),
  ],
})

const STATUS = message({
  3: ['message', 'text'],
  4: ['reason', 'text'],
  5: ['details', message({ 5: ['retryAfterSeconds', 'integer'] })],
  6: ['code', 'integer'],
})

/** What each kind is read by. */
export const MESSAGES: ReadonlyMap<string, Message> = new Map([
  ['Namespace', message({ 1: ['metadata', META] })],
  ['Service', SERVICE],
  ['EndpointSlice', ENDPOINT_SLICE],
  ['Pod', POD],
  ['Node', NODE],
  ['Status', STATUS],
])

/** The media type of a watch in protocol buffers. */
export const PROTOBUF_WATCH = 'application/vnd.kubernetes.protobuf'

/** The Accept header of a watch of that kind: protocol buffers where the API server has them. */
export const acceptOf = (kind: Kind): string =>
  MESSAGES.has(kind) ? `${PROTOBUF_WATCH},application/json` : 'application/json'

const MAGIC = Buffer.from('k8s\0')
const EVENT = message({ 1: ['type', 'text'], 2: ['object', message({ 1: ['raw', 'span'] })] })
const UNKNOWN = message({ 1: ['typeMeta', message({ 2: ['kind', 'text'] })], 2: ['raw', 'span'] })

interface Event {
  readonly type?: string
  readonly object?: { readonly raw?: Span }
}

interface Unknown {
  readonly typeMeta?: { readonly kind?: string }
  readonly raw?: Span
}

/**
 * Reads the event in octets[at … end) into what JSON would say, as far as it is wanted. An object that cannot be read has
 * nothing but its kind. Throws an ApiError `protocol` where there is no event.
 */
export function readEvent(octets: Buffer, at: number, end: number): object {
  let kind = ''
  let type = ''
  let span: Span
  let fields: Message
  try {
    const event: Event = readMessage(octets, at, end, EVENT)
    type = event.type ?? ''
    const [rawAt, rawEnd] = event.object?.raw ?? [end, end]
    if (octets.compare(MAGIC, 0, MAGIC.length, rawAt, Math.min(rawAt + MAGIC.length, rawEnd)) !== 0)
      throw new RangeError('no object')
    const unknown: Unknown = readMessage(octets, rawAt + MAGIC.length, rawEnd, UNKNOWN)
    kind = unknown.typeMeta?.kind ?? ''
    span = unknown.raw ?? [rawEnd, rawEnd]
    fields = MESSAGES.get(kind) ?? []
  } catch (cause) {
    throw new ApiError('protocol', `reading a watch: ${messageOf(cause)}`, { cause })
  }
  try {
    return { type, object: { kind, ...readMessage(octets, ...span, fields) } }
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    return { type, object: { kind } }
  }
}
