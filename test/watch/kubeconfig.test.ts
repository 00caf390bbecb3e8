// Every form of credentials in a kubeconfig file, tried on a server that asks for them.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { ApiClient } from '../../src/watch/client.ts'
import { openAccess } from '../../src/watch/open-access.ts'
import { makeAuthority } from '../support/certificates.ts'
import { FakeApiServer } from '../support/fake-api-server.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const authority = makeAuthority()
const base64 = (text: string): string => Buffer.from(text).toString('base64')

async function world(t: Test, secure = true) {
  const folder = await mkdtemp(join(tmpdir(), 'seamark-test-'))
  const tls = { ...authority.issue('kube-apiserver'), ca: authority.cert, requestCert: true }
  const server = await new FakeApiServer(secure ? { tls } : {}).listen()
  const clients: ApiClient[] = []
  t.teardown(async () => {
    for (const client of clients) client.close()
    await server.close()
    await rm(folder, { recursive: true })
  })
  const file = join(folder, 'config')
  const write = (
    user: unknown,
    cluster: object = secure ? { 'certificate-authority-data': base64(authority.cert) } : {},
  ) =>
    writeFile(
      file,
      stringify({
        'current-context': 'main',
        contexts: [
          { name: 'main', context: { cluster: 'c', user: 'u' } },
          { name: 'lost', context: { cluster: 'nowhere', user: 'u' } },
        ],
        clusters: [{ name: 'c', cluster: { server: server.url, ...cluster } }],
        users: user === undefined ? [] : [{ name: 'u', user }],
      }),
    )
  const connect = async (context?: string) => {
    const access = await openAccess({ from: 'kubeconfig', file, ...(context && { context }) })
    const client = new ApiClient({ access, clock: new VirtualClock() })
    clients.push(client)
    return () =>
      new Promise<string>(resolve => {
        client.get('/api/v1/services?limit=1', 'application/json', {
          onOpen() {},
          onData() {},
          onEnd: error => resolve(error ? `${error.code}: ${error.message}` : 'ok'),
        })
      })
  }
  return { folder, server, file, write, connect }
}

t.test('a token', async t => {
  const { server, write, connect } = await world(t)
  server.tokens = new Set(['secret'])
  await write({ token: 'secret' })
  const ask = await connect('main')
  t.equal(await ask(), 'ok')
  server.tokens = new Set(['next'])
  t.match(await ask(), /^unauthorized: 401/)
  await write({ token: 'next' })
  t.equal(await ask(), 'ok', 'the file has changed and is read again')
})

t.test('a token file, relative to the kubeconfig, rotated', async t => {
  const { folder, server, write, connect } = await world(t)
  server.tokens = new Set(['one'])
  await writeFile(join(folder, 'token'), 'one\n')
  await write({ tokenFile: 'token' })
  const ask = await connect()
  t.equal(await ask(), 'ok')
  server.tokens = new Set(['two'])
  await writeFile(join(folder, 'token'), 'two\n')
  t.equal(await ask(), 'ok', 'read again after a 401')
})

t.test('an exec plugin', async t => {
  const { folder, server, write, connect } = await world(t)
  server.tokens = new Set(['from-plugin'])
  const script = `console.log(JSON.stringify({ kind: 'ExecCredential', status: { token: process.env.TOKEN } }))`
  await writeFile(join(folder, 'plugin.mjs'), script)
  const plugin = (token: string, args = [join(folder, 'plugin.mjs')]) => ({
    exec: {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args,
      env: [{ name: 'TOKEN', value: token }],
    },
  })
  await write(plugin('from-plugin'))
  t.equal(await (await connect())(), 'ok')
  await write(plugin('', [join(folder, 'missing.mjs')]))
  t.match(await (await connect())(), /^credentials: using kubeconfig .*: .*missing\.mjs/s)
})

t.test('a client certificate, in the file and beside it', async t => {
  const { folder, server, write, connect } = await world(t)
  const first = authority.issue('first')
  await write({ 'client-certificate-data': base64(first.cert), 'client-key-data': base64(first.key) })
  t.equal(await (await connect())(), 'ok')
  const second = authority.issue('second')
  await writeFile(join(folder, 'c.crt'), second.cert)
  await writeFile(join(folder, 'c.key'), second.key)
  await writeFile(join(folder, 'ca.crt'), authority.cert)
  await write({ 'client-certificate': 'c.crt', 'client-key': 'c.key' }, { 'certificate-authority': 'ca.crt' })
  t.equal(await (await connect())(), 'ok')
  t.same(server.clients, new Set(['first', 'second']))
})

t.test('plain HTTP, with and without a user', async t => {
  const { server, write, connect } = await world(t, false)
  await write(undefined)
  t.equal(await (await connect())(), 'ok')
  server.tokens = new Set(['secret'])
  await write({ token: 'secret' })
  t.equal(await (await connect())(), 'ok')
})

t.test('a server whose certificate is not to be trusted, and one that need not be', async t => {
  const { write, connect } = await world(t)
  await write({ token: 'x' }, {})
  t.match(await (await connect())(), /^tls: /)
  await write({ token: 'x' }, { 'insecure-skip-tls-verify': true })
  t.equal(await (await connect())(), 'ok')
})

t.test('what can never work is refused at once', async t => {
  const { file, write, connect } = await world(t)
  await t.rejects(connect(), { code: 'credentials', message: /^reading kubeconfig .*ENOENT/ })
  await write({ token: 'x' })
  await t.rejects(connect('other'), { message: /no context "other"; the file has: main, lost$/ })
  await t.rejects(connect('lost'), { message: /context "lost" has no cluster/ })
  await write({ token: 'x' }, { server: 'gopher://h' })
  await t.rejects(connect(), { message: /"gopher:\/\/h" is not an http or https URL/ })
  for (const text of ['', '[', '- a', 'clusters: 7', 'users: [{}]']) {
    await writeFile(file, text)
    await t.rejects(connect(), { code: 'credentials', message: /^reading kubeconfig / }, text)
  }
})

t.test('a file that breaks while in use is an error until it is well', async t => {
  const { file, server, write, connect } = await world(t)
  server.tokens = new Set(['secret'])
  await write({ token: 'secret' })
  const ask = await connect()
  t.equal(await ask(), 'ok')
  await writeFile(file, 'contexts: [')
  t.match(await ask(), /^credentials: reading kubeconfig/)
  await rm(file)
  t.equal(await ask(), 'ok', 'a file that vanishes for a moment leaves the last one in use')
  await write({ token: 'secret' })
  t.equal(await ask(), 'ok')
})
