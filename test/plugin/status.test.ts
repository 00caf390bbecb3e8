// The directive `status`, and the page over HTTP.

import { get } from 'node:http'
import t from 'tap'
import { statusWord } from '../../src/plugin/status.ts'
import { query } from '../support/dns-client.ts'
import { freePort } from '../support/free-port.ts'
import { serveCorefile } from '../support/served-corefile.ts'
import { until } from '../support/until.ts'
import { parseWord } from '../support/words.ts'

t.test('the directive', async t => {
  const cases: [line: string, address: object][] = [
    ['status', { host: 'localhost', port: 9154 }],
    ['status :9000', { host: '', port: 9000 }],
    ['status [::1]:9000', { host: '::1', port: 9000 }],
  ]
  for (const [line, address] of cases) t.same(parseWord(statusWord, line).config, { address }, line)
  t.match(parseWord(statusWord, 'status 9000').complaints[0], /error: this is not HOST:PORT/)
  t.match(parseWord(statusWord, 'status\nstatus').complaints[0], /status is given twice/)
})

t.test('the page, its parts as events, a name explained; for no other page to read', async t => {
  const http = await freePort()
  const manifests = t.testdir({
    'web.yaml':
      'apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {clusterIP: 10.96.0.7, ports: [{port: 80}]}\n',
  })
  const { port, server } = await serveCorefile(
    t,
    `. {
      bind 127.0.0.1
      status localhost:${http}
      kubernetes cluster.local {
        manifests ${manifests}
      }
      whoami
    }`,
  )
  await server.printed(/^Status: http:\/\/localhost:\d+\/status$/m)
  const at = `http://127.0.0.1:${http}`
  const page = await fetch(`${at}/status?name=wep.shop`)
  t.match(page.headers.get('content-security-policy'), /^default-src 'none'; script-src 'self'/)
  t.match(await page.text(), /<section [^>]*id="explained"[^>]*><p>Cause: /)
  for (const [path, type] of [
    ['/status/style.css', 'text/css'],
    ['/status/script.js', 'text/javascript'],
  ]) {
    const asset = await fetch(at + path)
    t.match(asset.headers.get('content-type'), type)
    t.equal(asset.headers.get('x-content-type-options'), 'nosniff')
  }
  const foreign = await new Promise<number>(resolve =>
    get(`${at}/status`, { headers: { host: 'evil.example' } }, response => {
      response.resume()
      resolve(response.statusCode ?? 0)
    }),
  )
  t.equal(foreign, 421)
  const controller = new AbortController()
  const events = await fetch(`${at}/status/events`, { signal: controller.signal })
  t.match(events.headers.get('content-type'), 'text/event-stream')
  let text = ''
  const read = (async () => {
    for await (const chunk of events.body!.pipeThrough(new TextDecoderStream())) text += chunk
  })().catch(() => undefined)
  const asking = setInterval(() => void query(port, { name: 'nope.shop.svc.cluster.local' }), 50)
  await until('what fails', async () => text.includes('nope.shop.svc.cluster.local. NXDOMAIN'))
  await until('codes', async () => /"codes":"[^"]*NXDOMAIN/.test(text.replaceAll('\\"', "'")))
  clearInterval(asking)
  const streams = await Promise.all(
    Array.from({ length: 9 }, () => fetch(`${at}/status/events`, { signal: controller.signal })),
  )
  t.ok(
    streams.some(({ status }) => status === 503),
    'more follow than may',
  )
  controller.abort()
  await read
})
