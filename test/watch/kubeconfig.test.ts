// Every form of credentials in a kubeconfig file, tried on a server that asks for them.

import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import t from 'tap'
import { authority, base64, kubeconfigWorld as world } from './kubeconfig-world.ts'

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
  t.equal(await ask(), 'ok', 'read for every request')
})

t.test('of a token and a token file the file is used, and the token while it cannot be read', async t => {
  const { folder, server, write, connect } = await world(t)
  await writeFile(join(folder, 'token'), 'new\n')
  await write({ token: 'old', tokenFile: 'token' })
  server.tokens = new Set(['new'])
  t.equal(await (await connect())(), 'ok')
  await write({ token: 'old', tokenFile: 'absent' })
  server.tokens = new Set(['old'])
  t.equal(await (await connect())(), 'ok')
  await write({ tokenFile: 'absent' })
  t.match(await (await connect())(), /^credentials: using kubeconfig .*: reading the token: ENOENT/)
})

t.test('a user and a password', async t => {
  const { server, write, connect } = await world(t)
  await write({ username: 'admin', password: 'p:w' })
  await (await connect())()
  t.equal(server.requests.at(-1)?.headers.authorization, `Basic ${base64('admin:p:w')}`)
})

t.test('an auth-provider (OIDC) with a token that is good', async t => {
  const { server, write, connect } = await world(t)
  const part = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url')
  const token = `${part({ alg: 'RS256' })}.${part({ exp: 4_000_000_000 })}.c2lnbmVk`
  server.tokens = new Set([token])
  await write({ 'auth-provider': { name: 'oidc', config: { 'id-token': token, 'client-id': 'seamark' } } })
  const ask = await connect()
  t.same(await Promise.all([ask(), ask()]), ['ok', 'ok'])
  await write({ token: 'other', 'auth-provider': { name: 'oidc', config: { 'id-token': token } } })
  server.tokens = new Set(['other'])
  t.equal(await ask(), 'ok', 'a token comes before it')
})

t.test('in the name of somebody else: all four headers', async t => {
  const { server, write, connect } = await world(t)
  const cases: [user: object, headers: object][] = [
    [{ as: 'a' }, { user: ['a'], uid: undefined, group: undefined }],
    [
      { as: 'system:serviceaccount:ns:sa', 'as-uid': 'u-1', 'as-groups': ['g1', 'g2'] },
      { user: ['system:serviceaccount:ns:sa'], uid: ['u-1'], group: ['g1', 'g2'] },
    ],
    [
      { as: 'a', 'as-user-extra': { scopes: ['x', 'y'], 'acme.com/Pro ject%': ['z'] } },
      { user: ['a'], 'extra-scopes': ['x', 'y'], 'extra-acme.com%2fpro%20ject%25': ['z'] },
    ],
  ]
  for (const [user, headers] of cases) {
    await write({ token: 't', ...user })
    t.equal(await (await connect())(), 'ok')
    const distinct = server.requests.at(-1)?.distinct ?? {}
    for (const [name, values] of Object.entries(headers))
      t.same(distinct[`impersonate-${name}`], values, name)
  }
  await write({ token: 't', 'as-groups': ['g'] })
  await t.rejects(connect(), {
    message: /requesting uid, groups or user-extra for user "u" without impersonating/,
  })
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

t.test('plain HTTP: nobody is told who asks, but in whose name', async t => {
  const { server, write, connect } = await world(t, { secure: false })
  await write(undefined)
  t.equal(await (await connect())(), 'ok')
  await write({ token: 'secret', as: 'a' })
  t.equal(await (await connect())(), 'ok')
  const { headers } = server.requests.at(-1) ?? {}
  t.same([headers?.authorization, headers?.['impersonate-user']], [undefined, 'a'])
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
  for (const text of ['', '[', '- a', 'clusters: 7', 'users: [{}]', 'contexts: {}', '7']) {
    await writeFile(file, text)
    await t.rejects(connect(), { code: 'credentials', message: /^reading kubeconfig / }, text)
  }
  for (const text of ['token: [hunter2', 'token: hunter2: 2', 'token: *hunter2', 'token: |hunter2']) {
    await writeFile(file, text)
    const error: unknown = await connect().catch((cause: unknown) => cause)
    t.match(error, { code: 'credentials', message: /: it is no YAML/ }, text)
    t.notMatch(inspect(error, { depth: null }), /hunter2/, 'a broken line may hold a token')
  }
})

t.test('what kubectl refuses is refused in words', async t => {
  const { write, connect } = await world(t)
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'p', interactiveMode: 'Never' }
  const users: [user: object, words: RegExp][] = [
    [{ token: 't', username: 'u' }, /more than one way to authenticate for user "u"/],
    [{ 'client-certificate-data': 'eA==' }, /client-key-data or client-key must be specified for user "u"$/],
    [{ exec: { ...exec, command: '' } }, /command must be specified for exec of user "u"$/],
    [{ exec: { ...exec, apiVersion: undefined } }, /apiVersion must be specified for exec of user "u"$/],
    [
      { exec: { ...exec, apiVersion: 'client.authentication.k8s.io/v1alpha1' } },
      /invalid apiVersion ".*v1alpha1"; allowed/,
    ],
    [{ exec: { ...exec, interactiveMode: 'Maybe' } }, /invalid interactiveMode "Maybe"$/],
    [{ exec: { ...exec, env: [{ value: 'x' }] } }, /a variable of env has no name$/],
    [{ exec: 7 }, /exec of user "u" is no object$/],
    [{ exec, 'auth-provider': { name: 'oidc' } }, /auth-provider and exec cannot be combined for user "u"$/],
    [{ token: 12345 }, /token of user "u" is no string$/],
    [{ as: 'a', 'as-groups': 'g' }, /as-groups of user "u" is no list$/],
  ]
  for (const [user, message] of users) {
    await write(user)
    await t.rejects(connect(), { code: 'credentials', message }, JSON.stringify(user))
  }
  const clusters: [cluster: object, words: RegExp][] = [
    [{ server: '' }, /no server found for cluster "c"$/],
    [
      { 'proxy-url': 'ftp://p' },
      /the proxy-url of cluster "c" has the scheme "ftp"; allowed are http, https, socks5, socks5h$/,
    ],
    [{ 'proxy-url': '::' }, /the proxy-url of cluster "c" is no URL$/],
  ]
  for (const [cluster, message] of clusters) {
    await write({ token: 't' }, cluster)
    await t.rejects(connect(), { code: 'credentials', message }, JSON.stringify(cluster))
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
