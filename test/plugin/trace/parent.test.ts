import t from 'tap'
import { parentOf } from '../../../src/plugin/trace/parent.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'
const parent = { traceId: TRACE, id: SPAN, parentId: undefined, isSampled: true }

t.test('traceparent (W3C Trace Context 3.2)', async t => {
  for (const [text, expected] of [
    [`00-${TRACE}-${SPAN}-01`, parent],
    [`00-${TRACE}-${SPAN}-03`, parent],
    [`00-${TRACE}-${SPAN}-00`, { ...parent, isSampled: false }],
    [`01-${TRACE}-${SPAN}-01-more`, parent],
    [`00-${TRACE}-${SPAN}-01-more`, undefined],
    [`ff-${TRACE}-${SPAN}-01`, undefined],
    [`00-${'0'.repeat(32)}-${SPAN}-01`, undefined],
    [`00-${TRACE}-${'0'.repeat(16)}-01`, undefined],
    [`00-${TRACE.toUpperCase()}-${SPAN}-01`, undefined],
    [`00-${TRACE}-${SPAN}`, undefined],
    ['', undefined],
    ['x'.repeat(10_000), undefined],
  ] as const)
    t.same(
      parentOf('otlp', name => (name === 'traceparent' ? text : undefined)),
      expected,
      text.slice(0, 70),
    )
})

t.test('B3, in one header or in several', async t => {
  for (const [headers, expected] of [
    [{ b3: `${TRACE}-${SPAN}-1` }, parent],
    [{ b3: `${TRACE}-${SPAN}-d-05e3ac9a4f6e3b90` }, { ...parent, parentId: '05e3ac9a4f6e3b90' }],
    [{ b3: `${TRACE}-${SPAN}` }, { ...parent, isSampled: undefined }],
    [{ b3: '0' }, undefined],
    [{ 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': '1' }, parent],
    [{ 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-flags': '1' }, parent],
    [
      { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': '0' },
      { ...parent, isSampled: false },
    ],
    [
      { 'x-b3-traceid': SPAN, 'x-b3-spanid': SPAN },
      { ...parent, traceId: SPAN, isSampled: undefined },
    ],
    [{ 'x-b3-traceid': 'nonsense', 'x-b3-spanid': SPAN }, undefined],
    [{ 'x-b3-traceid': TRACE }, undefined],
    [{}, undefined],
  ] as const) {
    const fields: Readonly<Record<string, string>> = headers
    t.same(
      parentOf('zipkin', name => fields[name]),
      expected,
      JSON.stringify(headers),
    )
  }
  t.equal(
    parentOf('datadog', () => `00-${TRACE}-${SPAN}-01`),
    undefined,
    'CoreDNS reads none for it',
  )
})
