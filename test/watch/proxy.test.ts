// The way to the API server through a proxy: that of a kubeconfig, and those of the environment, for every form of access.

import t, { type Test } from 'tap'
import { endpointAccess, inClusterAccess } from '../../src/watch/access.ts'
import { httpProxy, type StubProxyOptions, socksProxy } from '../support/stub-proxy.ts'
import { authority, kubeconfigWorld as world } from './kubeconfig-world.ts'

const PROXIES = { http: httpProxy, socks5: socksProxy, socks5h: socksProxy }

/** A proxy that ends with the test. */
async function proxy(t: Test, scheme: keyof typeof PROXIES, options?: StubProxyOptions) {
  const started = await PROXIES[scheme](options)
  t.teardown(() => started.close())
  return started
}

/** A name that nobody knows but the proxy, and that the API server's certificate is for. */
const HOST = 'kube.test'

const portOf = (url: string): string => new URL(url).port

t.test('proxy-url of a kubeconfig', async t => {
  const cases: [title: string, scheme: keyof typeof PROXIES, secure: boolean, host: string | undefined, seen: (port: string) => string][] = [
    ['HTTPS to an address through HTTP', 'http', true, undefined, port => `CONNECT 127.0.0.1:${port}`],
    ['HTTPS to a name through HTTP', 'http', true, HOST, port => `CONNECT ${HOST}:${port}`],
    ['HTTP to a name through HTTP', 'http', false, HOST, port => `GET http://${HOST}:${port}/api/v1/services?limit=1`],
    ['HTTPS to an address through SOCKS5', 'socks5', true, undefined, port => `127.0.0.1:${port}`],
    ['HTTPS to a name through SOCKS5', 'socks5', true, HOST, port => `"${HOST}":${port}`],
    ['HTTPS to a name through SOCKS5 (h)', 'socks5h', true, HOST, port => `"${HOST}":${port}`],
    ['HTTP to an address through SOCKS5', 'socks5', false, undefined, port => `127.0.0.1:${port}`],
    ['HTTPS to an IPv6 address through HTTP', 'http', true, '[::1]', port => `CONNECT [::1]:${port}`],
  ] // biome-ignore format: a table
  for (const [title, scheme, secure, host, seen] of cases) {
    const { url, ca, write, connect } = await world(t, { secure, ...(host && { host }) })
    const through = await proxy(t, scheme)
    await write({ token: 't' }, { ...ca, 'proxy-url': `${scheme}://127.0.0.1:${through.port}` })
    const ask = await connect()
    t.same([await ask(), await ask()], ['ok', 'ok'], title)
    const line = seen(portOf(url))
    t.same(
      through.seen,
      secure || scheme !== 'http' ? [line] : [line, line],
      `${title}: one connection is kept`,
    )
  }
})

t.test('the certificate is checked through a proxy, too', async t => {
  for (const scheme of ['http', 'socks5'] as const) {
    const { write, connect, ca } = await world(t, { host: 'other.test' })
    const through = await proxy(t, scheme)
    const cluster = { ...ca, 'proxy-url': `${scheme}://127.0.0.1:${through.port}` }
    await write({ token: 't' }, { ...cluster, 'tls-server-name': 'third.test' })
    t.match(await (await connect())(), /^tls: .*third\.test/, scheme)
    await write({ token: 't' }, { 'proxy-url': cluster['proxy-url'] })
    t.match(await (await connect())(), /^tls: /, scheme)
    await write({ token: 't' }, { ...cluster, 'tls-server-name': 'other.test' })
    t.equal(await (await connect())(), 'ok', scheme)
  }
})

t.test('a user and a password in the proxy-url', async t => {
  for (const scheme of ['http', 'socks5'] as const) {
    for (const secure of [true, false]) {
      const { ca, write, connect } = await world(t, { secure })
      const through = await proxy(t, scheme, { user: 'us@er:pass word' })
      const url = (user: string): string => `${scheme}://${user}127.0.0.1:${through.port}`
      await write({ token: 't' }, { ...ca, 'proxy-url': url('us%40er:pass%20word@') })
      t.equal(await (await connect())(), 'ok', `${scheme}, secure: ${secure}`)
      await write({ token: 't' }, { ...ca, 'proxy-url': url('') })
      t.match(
        await (await connect())(),
        /407|proxy 127\.0\.0\.1:\d+: /,
        'and without them it says which proxy refuses',
      )
    }
  }
})

t.test('a proxy that refuses, and one that is away, are named', async t => {
  const { ca, write, connect } = await world(t)
  const ask = async (proxyUrl: string): Promise<string> => {
    await write({ token: 't' }, { ...ca, 'proxy-url': proxyUrl })
    return (await connect())()
  }
  const refusing = await proxy(t, 'http', { status: 403 })
  t.match(
    await ask(`http://127.0.0.1:${refusing.port}`),
    /^network: .*: proxy 127\.0\.0\.1:\d+: answers CONNECT 127\.0\.0\.1:\d+ with 403 No$/,
  )
  const unreachable = await proxy(t, 'socks5', { status: 5 })
  t.match(
    await ask(`socks5://127.0.0.1:${unreachable.port}`),
    /^network: .*: proxy 127\.0\.0\.1:\d+: .*ConnectionRefused/,
  )
  const away = await httpProxy()
  await away.close()
  for (const scheme of ['http', 'https', 'socks5'])
    t.match(
      await ask(`${scheme}://127.0.0.1:${away.port}`),
      /^network: .*: proxy 127\.0\.0\.1:\d+: .*ECONNREFUSED/,
      scheme,
    )
})

t.test('HTTPS_PROXY, HTTP_PROXY and NO_PROXY, for every form of access', async t => {
  const through = await proxy(t, 'http')
  const env = { HTTPS_PROXY: `http://127.0.0.1:${through.port}`, http_proxy: `127.0.0.1:${through.port}` }
  const secure = await world(t, { host: HOST, env })
  const read = async (file: string): Promise<string> => (file.endsWith('token') ? 't' : authority.cert)
  const port = portOf(secure.url)
  const inCluster = (extra: object) =>
    inClusterAccess(
      { ...env, ...extra, KUBERNETES_SERVICE_HOST: HOST, KUBERNETES_SERVICE_PORT: port },
      '/sa',
      read,
    )
  t.equal(await secure.asker(inCluster({}))(), 'ok')
  const tls = { certFile: '', keyFile: '', caFile: 'ca.crt' }
  t.equal(await secure.asker(endpointAccess({ from: 'endpoint', url: secure.url, tls }, read, env))(), 'ok')
  await secure.write({ token: 't' })
  t.equal(await (await secure.connect())(), 'ok')
  t.same(through.seen, Array(3).fill(`CONNECT ${HOST}:${port}`))

  const plain = await world(t, { host: HOST, secure: false })
  t.equal(await plain.asker(endpointAccess({ from: 'endpoint', url: plain.url }, read, env))(), 'ok')
  t.equal(through.seen.at(-1), `GET http://${HOST}:${portOf(plain.url)}/api/v1/services?limit=1`)

  t.match(
    await secure.asker(inCluster({ NO_PROXY: '.test' }))(),
    /ENOTFOUND|EAI_AGAIN/,
    'without the proxy nobody knows the name',
  )
  const own = await proxy(t, 'socks5')
  await secure.write({ token: 't' }, { ...secure.ca, 'proxy-url': `socks5://127.0.0.1:${own.port}` })
  t.equal(await (await secure.connect())(), 'ok')
  t.equal(own.seen.length, 1, 'proxy-url comes before the environment')
  t.equal(through.seen.length, 4)
})
