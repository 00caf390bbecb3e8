// The comparison itself, judged by replies that it must accept and replies that it must not: without this a comparison
// that accepts everything would look like a server that answers everything.

import t from 'tap'
import { type Case, differences, type Expected, type Got } from './compare.ts'

/** `web.test. 5 IN A 192.0.2.1` */
function got(text: string): Got['answer'][number] {
  const [name, ttl, , type, ...data] = text.split(' ')
  return { name: name!, ttlSeconds: Number(ttl), class: 'IN', type: type!, data: data.join(' '), text }
}

/** `web.test. A 192.0.2.1`, with a TTL after the name where it is compared. */
function expected(text: string): Expected {
  const [name, ...rest] = text.split(' ')
  const ttl = /^\d+$/.test(rest[0]!) ? Number(rest.shift()) : undefined
  const [type, ...data] = rest
  return { name: name!, type: type!, data: data.join(' '), ...(ttl === undefined ? {} : { ttl }) }
}

function compare(
  want: readonly string[] | undefined,
  answer: readonly string[],
  rest: Partial<Case> = {},
  header: Partial<Got> = {},
): string[] {
  const one: Case = {
    id: 'x',
    group: 'default',
    config: { zones: ['test'] },
    q: { name: 'web.test.', type: 'A' },
    rcode: 'NOERROR',
    match: 'exact-set',
    ...(want ? { answer: want.map(expected) } : {}),
    ...rest,
  }
  const reply = {
    rcode: 'NOERROR',
    aa: true,
    tc: false,
    answer: answer.map(got),
    authority: [],
    additional: [],
  }
  return differences(one, { ...reply, ...header })
}

const A1 = 'web.test. 5 IN A 192.0.2.1'
const A2 = 'web.test. 5 IN A 192.0.2.2'
const CNAME = 'www.test. 5 IN CNAME web.test.'

t.test('records', async t => {
  // biome-ignore format: a table
  const cases: [what: string, want: string[] | undefined, answer: string[], rest: Partial<Case>, wrong: number][] = [
    ['in any order', ['web.test. A 192.0.2.2', 'web.test. A 192.0.2.1'], [A1, A2], {}, 0],
    ['one too few', ['web.test. A 192.0.2.2', 'web.test. A 192.0.2.1'], [A1], {}, 1],
    ['one too many', ['web.test. A 192.0.2.1'], [A1, A2], {}, 1],
    ['one twice', ['web.test. A 192.0.2.1'], [A1, A1], {}, 1],
    ['twice expected, once there', ['web.test. A 192.0.2.1', 'web.test. A 192.0.2.1'], [A1], {}, 1],
    ['another value', ['web.test. A 192.0.2.9'], [A1], {}, 2],
    ['another type', ['web.test. AAAA 192.0.2.1'], [A1], {}, 2],
    ['none expected', [], [A1], {}, 1],
    ['not compared', undefined, [A1], {}, 0],
    ['a subset', ['web.test. A 192.0.2.1'], [A1, A2], { match: 'subset' }, 0],
    ['a subset that lacks one', ['web.test. A 192.0.2.9'], [A1, A2], { match: 'subset' }, 1],
    ['rcode only', ['web.test. A 192.0.2.9'], [A1], { match: 'rcode-only' }, 0],
    ['the TTL', ['web.test. 5 A 192.0.2.1'], [A1], {}, 0],
    ['another TTL', ['web.test. 6 A 192.0.2.1'], [A1], {}, 2],
    ['* for a whole part', ['web.test. A *'], [A1], {}, 0],
    ['* is one part, not two', ['web.test. A *'], ['web.test. 5 IN A 1 2'], {}, 2],
    ['* inside a name', ['*.web.test. A *'], ['a.b.web.test. 5 IN A 192.0.2.1'], {}, 0],
    ['. is no wildcard', ['web.test. A 192.0.2.1'], ['web.test. 5 IN A 192x0.2.1'], {}, 2],
    ['* leaves what others need', ['web.test. A *', 'web.test. A 192.0.2.1'], [A1, A2], {}, 0],
    ['no TTL leaves what others need', ['web.test. A 192.0.2.1', 'web.test. 5 A 192.0.2.1'], [A1, 'web.test. 9 IN A 192.0.2.1'], {}, 0],
    ['case ignored', ['WEB.test. A 192.0.2.1'], [A1], {}, 0],
    ['case compared', ['WEB.test. A 192.0.2.1'], [A1], { exact_case: true }, 2],
    ['case of data compared', ['www.test. CNAME WEB.test.'], [CNAME], { exact_case: true }, 2],
    ['CNAME first', ['www.test. CNAME web.test.', 'web.test. A 192.0.2.1'], [CNAME, A1], {}, 0],
    ['CNAME last', ['www.test. CNAME web.test.', 'web.test. A 192.0.2.1'], [A1, CNAME], {}, 1],
  ]
  for (const [what, want, answer, rest, wrong] of cases) {
    t.equal(compare(want, answer, rest).length, wrong, what)
  }
})

t.test('the header', async t => {
  const cases: [what: string, rest: Partial<Case>, header: Partial<Got>, wrong: number][] = [
    ['the rcode', {}, { rcode: 'NXDOMAIN' }, 1],
    ['one of two rcodes', { rcode: 'REFUSED|NOTIMP' }, { rcode: 'NOTIMP' }, 0],
    ['none of two rcodes', { rcode: 'REFUSED|NOTIMP' }, { rcode: 'SERVFAIL' }, 1],
    ['part of an rcode', { rcode: 'NOTAUTH' }, { rcode: 'NOT' }, 1],
    ['AA missing', { aa: true }, { aa: false }, 1],
    ['AA unwanted', { aa: false }, { aa: true }, 1],
    ['AA not compared', {}, { aa: false }, 0],
    ['TC missing', { tc: true }, { tc: false }, 1],
    ['the rcode alone', { match: 'rcode-only' }, { rcode: 'NXDOMAIN' }, 1],
  ]
  for (const [what, rest, header, wrong] of cases) {
    t.equal(compare([], [], rest, header).length, wrong, what)
  }
})

t.test('the other sections', async t => {
  const authority = [expected('test. SOA ns.test. host.test. * 7200 1800 86400 *')]
  const soa = got('test. 5 IN SOA ns.test. host.test. 17 7200 1800 86400 30')
  t.strictSame(compare([], [], { authority }, { authority: [soa] }), [])
  t.equal(compare([], [], { authority }).length, 1)
  t.equal(compare([], [], { additional: [] }, { additional: [soa] }).length, 1)
})
