// The versions of all objects of a resource, listed: what is read of it, in which forms it may come, and what is none.

import fc from 'fast-check'
import t from 'tap'
import { ApiError } from '../../src/watch/api-error.ts'
import type { ApiHandlers } from '../../src/watch/client.ts'
import { EVENT_MAX_OCTETS } from '../../src/watch/line-splitter.ts'
import { MetadataList } from '../../src/watch/metadata-list.ts'
import { ProtobufListSplitter } from '../../src/watch/protobuf-list.ts'
import { ranBackwards } from '../../src/watch/version.ts'
import { encodeList, octetsField } from '../support/protobuf.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { ENDPOINT_SLICE, METADATA_LIST } from './real-frames.ts'

const PROTOBUF = 'application/vnd.kubernetes.protobuf'

/** What a list told of what it was sent, its octets cut at these places. */
function told(contentType: string, body: Uint8Array, at: readonly number[] = []) {
  const seen: string[] = []
  let handlers: ApiHandlers | undefined
  let asked = ''
  const list = new MetadataList({
    client: {
      get(path, accept, given) {
        asked = `${path} ${accept}`
        handlers = given
        return { abort() {} }
      },
    },
    clock: new VirtualClock(),
    path: '/api/v1/services',
    query: { labelSelector: 'a=b' },
    silenceMs: 50_000,
    receiver: {
      item: (key, version) => seen.push(`${key} ${version}`),
      done: version => seen.push(`done ${version}`),
      failed: error => seen.push(`${error.code}: ${error.message}`),
    },
  })
  const places = [...new Set(at.map(place => place % (body.length + 1)))].sort((a, b) => a - b)
  handlers?.onOpen(contentType)
  for (const [i, from] of [0, ...places].entries())
    handlers?.onData(Buffer.from(body.subarray(from, places[i])))
  handlers?.onEnd(undefined)
  list.abort()
  return { seen, asked }
}

const ITEMS = [
  { metadata: { name: 'kubernetes', namespace: 'default', resourceVersion: '199' } },
  { metadata: { name: 'Web', namespace: 'Shop', resourceVersion: '1234567890123' } },
  { metadata: { name: 'cluster-wide', resourceVersion: '7' } },
  { metadata: {} },
]
const LIST = { kind: 'PartialObjectMetadataList', metadata: { resourceVersion: '201' }, items: ITEMS }
const SEEN = ['default/kubernetes 199', 'shop/web 1234567890123', 'cluster-wide 7', 'done 201']

t.test('what is asked for: metadata alone, in protocol buffers where the server has them', async t => {
  const { asked } = told(PROTOBUF, METADATA_LIST)
  t.equal(
    asked,
    '/api/v1/services?labelSelector=a%3Db application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,' +
      'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json',
  )
})

t.test('what a real API server sends', async t => {
  t.same(told(PROTOBUF, METADATA_LIST).seen, ['default/kubernetes 199', 'done 201'])
})

t.test('in either form, however it is cut', async t => {
  const forms = [
    [PROTOBUF, encodeList(LIST)],
    ['application/json', Buffer.from(JSON.stringify(LIST))],
  ] as const
  for (const [type, body] of forms) {
    fc.assert(
      fc.property(
        fc.array(fc.nat(5000), { maxLength: 30 }),
        at => told(type, body, at).seen.join() === SEEN.join(),
      ),
      { numRuns: 100 },
    )
    t.same(
      told(
        type,
        body,
        Array.from(body, (_, i) => i),
      ).seen,
      SEEN,
      `${type}, octet by octet`,
    )
  }
})

t.test('what is no list, or not all of one, is an error', async t => {
  const body = encodeList(LIST)
  for (let octets = 0; octets < body.length - 4; octets++) {
    const { seen } = told(PROTOBUF, body.subarray(0, octets))
    if (!/^protocol: reading a list: /.test(seen.at(-1) ?? ''))
      t.fail(`cut after ${octets} octets: ${seen.at(-1)}`)
  }
  const cases: [title: string, type: string, body: Uint8Array][] = [
    ['a frame of a watch', PROTOBUF, ENDPOINT_SLICE],
    ['text', PROTOBUF, Buffer.from('<html><body>welcome to the hotel</body></html>')],
    ['text that is said to be JSON', 'application/json', Buffer.from('<html>')],
    ['a list without a version', 'application/json', Buffer.from('{"kind":"ServiceList","items":[]}')],
    ['a list without a version, packed', PROTOBUF, encodeList({ ...LIST, metadata: {} })],
    ['a number that does not end', PROTOBUF, Buffer.concat([Buffer.from('k8s\0'), Buffer.alloc(30, 0xff)])],
    ['a field that is no octets', PROTOBUF, Buffer.from('k8s\0\x08\x01\x08\x01')],
    ['an item of other octets', PROTOBUF, Buffer.concat([Buffer.from('k8s\0'), octetsField(2, octetsField(2, Uint8Array.of(255)))])],
  ] // biome-ignore format: a table
  for (const [title, type, octets] of cases)
    t.match(told(type, octets).seen.at(-1), /^protocol: reading a list: /, title)
})

t.test('an item that grows too long is refused', async t => {
  const head = Buffer.concat([
    Buffer.from('k8s\0'),
    Buffer.from('12ffffff07', 'hex'),
    Buffer.from('12ffffff06', 'hex'),
  ])
  const splitter = new ProtobufListSplitter(() => t.fail('an item'))
  splitter.push(head)
  t.throws(
    () => {
      for (let sent = 0; sent < EVENT_MAX_OCTETS + 65_536; sent += 65_536) splitter.push(Buffer.alloc(65_536))
    },
    { code: 'protocol' },
  )
})

t.test('a list that stays away', async t => {
  const errors: string[] = []
  const clock = new VirtualClock()
  let handlers: ApiHandlers | undefined
  const options = {
    client: {
      get(_path: string, _accept: string, given: ApiHandlers) {
        handlers = given
        return { abort() {} }
      },
    },
    clock,
    path: '/api/v1/services',
    query: {},
    silenceMs: 50_000,
    receiver: { done: () => t.fail('done'), failed: (error: ApiError) => errors.push(error.code) },
  }
  new MetadataList(options)
  handlers?.onEnd(new ApiError('unavailable', '503', { status: 503 }))
  new MetadataList(options)
  handlers?.onOpen(PROTOBUF)
  handlers?.onData(Buffer.from(METADATA_LIST.subarray(0, 100)))
  clock.advance(50_000)
  t.same(errors, ['unavailable', 'silence'])
})

t.test('versions that ran backwards', async t => {
  const cases: [version: string, before: string, backwards: boolean][] = [
    ['51', '10000', true],
    ['9999', '10000', true],
    ['10000', '10000', false],
    ['10001', '10000', false],
    ['9', '10', true],
    ['10', '9', false],
    ['18446744073709551615', '18446744073709551616', true],
    ['123456789012345678901', '99999999999999999999', false],
    ['v9', 'v10', false],
    ['51', 'v10000', false],
    ['0x10', '10000', false],
    ['0051', '10000', false],
    ['', '10000', false],
    ['0', '10000', false],
  ]
  for (const [version, before, backwards] of cases)
    t.equal(ranBackwards(version, before), backwards, `${version} after ${before}`)
})
