// The live page: what it says, and that nothing it shows can be more than text.

import t from 'tap'
import type { StatusData } from '../../../src/observe/status/data.ts'
import { statusPage, statusParts } from '../../../src/observe/status/page.ts'

const EVIL = '<script>alert(1)</script>&"\''
const data: StatusData = {
  version: '1.2.3',
  upSeconds: 93_784,
  queriesPerSecond: 12_345.6,
  codes: [{ rcode: 'NOERROR', perSecond: 12_000 }],
  p50Ms: 0.042,
  p99Ms: 37.4,
  cacheHitRatio: 0.914,
  cacheEntries: 1200,
  upstreams: [
    { to: '10.0.0.1:53', isDown: true, perSecond: 4.25, p50Ms: 1.5, p99Ms: undefined, failuresPerSecond: 0 },
  ],
  watches: [{ resource: 'services', objects: 5000, state: 'old', ageSeconds: 61.2 }],
  threads: [{ name: 'serving-0', busyRatio: 0.031 }],
  memoryOctets: 90 * 2 ** 20,
  memoryLimitOctets: 170 * 2 ** 20,
  lists: {
    perSecond: 1,
    clients: [{ key: '10.0.0.7', perSecond: 2, errorPerSecond: 0.5 }],
    names: [{ key: EVIL, perSecond: 2, errorPerSecond: 0 }],
    failing: [],
  },
  storms: [`${EVIL} asks`],
  problems: [EVIL],
}

t.test('figures in words', async t => {
  const parts = statusParts(data)
  for (const text of ['12,346', '0.04 ms', '37 ms', '91 %', '90 MiB of 170 MiB', '1 d 2 h'])
    t.match(parts.figures, `<dd>${text}</dd>`, text)
  t.match(
    parts.upstreams,
    '<th scope="row">10.0.0.1:53</th><td>down</td><td>4.3</td><td>1.5 ms</td><td>–</td>',
  )
  t.match(parts.watches, '<td>5,000</td><td>old</td><td>61 s ago</td>')
  t.match(parts.threads, '<td>3.1 %</td>')
  t.match(parts.clients, '<td>2.0</td><td>0.5</td>')
  t.match(parts.failing, '<p>Nothing in the last seconds.</p>')
})

t.test('names, problems and answers are text', async t => {
  const explained = { name: EVIL, type: EVIL, from: EVIL, text: EVIL }
  const page = statusPage(data, explained)
  t.notMatch(page, /alert\(1\)<\/script>/)
  t.equal(page.match(/<script /g)?.length, 1, 'the one script is a file')
  t.notMatch(page, / style=| on\w+=|<style/, 'nothing that the policy would refuse')
  t.match(page, 'value="&#60;script&#62;')
  t.match(page, ' id="explained"')
  t.notMatch(statusPage(data, { ...explained, text: '' }), '<pre')
})

t.test('of an explanation the cause comes first', async t => {
  const text = '1. web. A: NXDOMAIN\n\nCause: There is no <Service> web.\nDo: Look.\nClose to it: a, b\n'
  t.match(
    statusPage(data, { name: 'web', type: '', from: '', text }),
    '<p>Cause: There is no &#60;Service&#62; web.</p><p>Do: Look.</p><p>Close to it: a, b</p><pre tabindex="0" role="region" aria-label="Steps">1. web. A: NXDOMAIN</pre>',
  )
})

t.test('what a screen reader needs', async t => {
  const page = statusPage(data, { name: '', type: '', from: '', text: '' })
  for (const [, id] of page.matchAll(/<input id="(\w+)"/g)) t.match(page, `<label for="${id}">`)
  for (const [, id] of page.matchAll(/aria-labelledby="([\w-]+)"/g)) t.match(page, `id="${id}"`)
  for (const id of Object.keys(statusParts(data))) t.match(page, ` id="${id}"`, 'the script finds it')
  t.match(page, '<html lang="en">')
})
