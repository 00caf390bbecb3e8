// The trace that a query over HTTPS belongs to, as its client says in the request: to Zipkin by B3 (github.com/openzipkin/b3-propagation,
// what CoreDNS reads), to OpenTelemetry by W3C Trace Context (`traceparent`). What is not as it should be is as if it were not there.

import type { CollectorType } from './config.ts'

/** A span of the client's. */
export interface Parent {
  readonly traceId: string
  readonly id: string
  /** That of the client's span itself. */
  readonly parentId: string | undefined
  /** Whether the client has its trace recorded; undefined: it has not decided. */
  readonly isSampled: boolean | undefined
}

/** What a request says of the trace that it belongs to; undefined: nothing that a collector of the type knows. */
export function parentOf(
  type: CollectorType,
  header: (name: string) => string | undefined,
): Parent | undefined {
  if (type === 'otlp') return traceContext(header('traceparent') ?? '')
  return type === 'zipkin' ? b3(header) : undefined
}

/** W3C Trace Context 3.2: later versions may have more behind what version 00 has. */
function traceContext(text: string): Parent | undefined {
  const [, version, traceId = '', id = '', flags = '', more] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(text) ?? []
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (isZero(traceId) || isZero(id)) return undefined
  return { traceId, id, parentId: undefined, isSampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

/** In one header, or in one for each part. */
function b3(header: (name: string) => string | undefined): Parent | undefined {
  const [traceId = '', id = '', sampled, parentId] = header('b3')?.split('-') ?? [
    header('x-b3-traceid'),
    header('x-b3-spanid'),
    header('x-b3-flags') === '1' ? 'd' : header('x-b3-sampled'),
    header('x-b3-parentspanid'),
  ]
  if (!/^(?:[0-9a-f]{16}){1,2}$/.test(traceId) || !/^[0-9a-f]{16}$/.test(id)) return undefined
  if (isZero(traceId) || isZero(id)) return undefined
  const isSampled =
    /^(?:1|d|true)$/.test(sampled ?? '') || (/^(?:0|false)$/.test(sampled ?? '') ? false : undefined)
  return { traceId, id, parentId: /^[0-9a-f]{16}$/.test(parentId ?? '') ? parentId : undefined, isSampled }
}

const isZero = (hex: string): boolean => /^0+$/.test(hex)
