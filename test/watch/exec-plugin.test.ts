// Exec plugins of a kubeconfig, as kubectl runs them: what they are told, how often they are run, what is said of one that fails.

import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { ExecPlugin, programRunner, type RunProgram, type RunResult } from '../../src/watch/exec-plugin.ts'
import type { ExecConfig } from '../../src/watch/kubeconfig-file.ts'
import type { Env } from '../../src/watch/proxy-env.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { authority, base64, kubeconfigWorld as world } from './kubeconfig-world.ts'

const V1 = 'client.authentication.k8s.io/v1'
const exec = (command: string, more: object = {}): { exec: object } => ({
  exec: { apiVersion: V1, command, interactiveMode: 'Never', ...more },
})
const credential = (status: object, apiVersion = V1): string =>
  JSON.stringify({ kind: 'ExecCredential', apiVersion, status })

/** A plugin whose runs are played by the test. */
function played(config: Partial<ExecConfig> = {}) {
  const clock = new VirtualClock()
  const runs: { readonly env: Env; readonly atMs: number }[] = []
  let result: Partial<RunResult> | Error = {}
  const run: RunProgram = async (_command, _args, env) => {
    runs.push({ env, atMs: clock.nowMs() })
    if (result instanceof Error) throw result
    return { stdout: '', stderr: '', outcome: 0, ...result }
  }
  const plugin = new ExecPlugin({
    config: {
      apiVersion: V1,
      command: 'aws',
      args: [],
      env: [{ name: 'AWS_PROFILE', value: 'dns' }],
      provideClusterInfo: false,
      interactiveMode: 'Never',
      installHint: '',
      ...config,
    },
    cluster: async () => ({ server: 'https://h' }),
    clock,
    env: { PATH: '/bin', AWS_PROFILE: 'other' },
    run,
  })
  const ask = (): Promise<string> =>
    plugin.credentials().then(
      ({ token, cert }) => `${token ?? ''}${cert ?? ''}`,
      (error: Error) => error.message,
    )
  return { clock, runs, plugin, ask, gives: (given: Partial<RunResult> | Error) => (result = given) }
}

t.test('a program beside the kubeconfig that wants to be told by whom it is asked', async t => {
  const { folder, server, write, connect } = await world(t)
  server.tokens = new Set(['from-plugin'])
  await writeFile(
    join(folder, 'p.sh'),
    `#!/bin/sh\n[ -n "$KUBERNETES_EXEC_INFO" ] || exit 1\necho '${credential({ token: 'from-plugin' })}'\n`,
  )
  await chmod(join(folder, 'p.sh'), 0o755)
  await write(exec('./p.sh'))
  t.equal(await (await connect())(), 'ok')
})

t.test('what it is told', async t => {
  const seen: Env[] = []
  const run: RunProgram = async (_command, _args, env) => {
    seen.push(env)
    return { stdout: credential({ token: 't' }), stderr: '', outcome: 0 }
  }
  const { url, write, connect } = await world(t, { run, env: { HOME: '/root' } })
  const told = async (user: object, cluster: object): Promise<unknown> => {
    await write(user, cluster)
    await (await connect())()
    return JSON.parse(seen.at(-1)?.KUBERNETES_EXEC_INFO ?? '')
  }
  const ca = { 'certificate-authority-data': base64(authority.cert) }
  t.same(await told(exec('p'), ca), { kind: 'ExecCredential', apiVersion: V1, spec: { interactive: false } })
  t.equal(seen[0]?.HOME, '/root', 'beside the environment')
  const beta = 'client.authentication.k8s.io/v1beta1'
  t.match(await told(exec('p', { apiVersion: beta, interactiveMode: undefined }), ca), { apiVersion: beta })
  t.same(await told(exec('p', { provideClusterInfo: true }), ca), {
    kind: 'ExecCredential',
    apiVersion: V1,
    spec: { cluster: { server: url, ...ca, config: null }, interactive: false },
  })
  const extension = { name: 'client.authentication.k8s.io/exec', extension: { audience: '06e3fbd18de8' } }
  const cluster = {
    'tls-server-name': 'localhost',
    'insecure-skip-tls-verify': true,
    'proxy-url': 'http://127.0.0.1:1/',
    'disable-compression': true,
  }
  t.same(await told(exec('p', { provideClusterInfo: true }), { ...cluster, extensions: [extension] }), {
    kind: 'ExecCredential',
    apiVersion: V1,
    spec: { cluster: { server: url, ...cluster, config: { audience: '06e3fbd18de8' } }, interactive: false },
  })
})

t.test('variables of its own win, and nothing wins over what it is told', async t => {
  const { runs, ask, gives } = played({
    env: [
      { name: 'KUBERNETES_EXEC_INFO', value: 'mine' },
      { name: 'A', value: 'b' },
    ],
  })
  gives({ stdout: credential({ token: 't' }) })
  t.equal(await ask(), 't')
  t.match(runs[0]?.env, { A: 'b', PATH: '/bin', KUBERNETES_EXEC_INFO: /^\{"kind"/ })
})

t.test('a client certificate', async t => {
  const { cert, key } = authority.issue('from-plugin')
  const stdout = credential({ clientCertificateData: cert, clientKeyData: key })
  const { server, write, connect } = await world(t, { run: async () => ({ stdout, stderr: '', outcome: 0 }) })
  await write(exec('p'))
  t.equal(await (await connect())(), 'ok')
  t.same(server.clients, new Set(['from-plugin']))
})

t.test('it is not run where the user has a token, a password or a certificate', async t => {
  let runs = 0
  const run: RunProgram = async () => {
    runs++
    return { stdout: credential({ token: 'p' }), stderr: '', outcome: 0 }
  }
  const { write, connect } = await world(t, { run })
  const { cert, key } = authority.issue('own')
  for (const user of [
    { token: 't' },
    { username: 'u', password: 'p' },
    { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) },
  ]) {
    await write({ ...user, ...exec('p') })
    t.equal(await (await connect())(), 'ok')
  }
  t.equal(runs, 0)
})

t.test('once for all that ask, and again when what it gave has expired', async t => {
  const { clock, runs, ask, gives } = played()
  const expires = new Date(clock.wallMs() + 3_600_000).toISOString()
  gives({ stdout: credential({ token: 'one', expirationTimestamp: expires }) })
  t.same(await Promise.all([ask(), ask(), ask()]), ['one', 'one', 'one'])
  t.equal(runs.length, 1)
  gives({ stdout: credential({ token: 'two' }) })
  clock.advance(3_600_000)
  t.equal(await ask(), 'one')
  clock.advance(1)
  t.same(await Promise.all([ask(), ask(), ask()]), ['two', 'two', 'two'])
  clock.advance(86_400_000)
  t.equal(await ask(), 'two', 'one without an end is good until it is refused')
  t.equal(runs.length, 2)
})

t.test(
  'one that fails is run again after 1 s, 2 s, 4 s and so on, however often it is asked for',
  async t => {
    const { clock, runs, ask, gives } = played()
    gives({ outcome: 1, stderr: 'no network' })
    const startMs = clock.nowMs()
    for (let ms = 0; ms < 300_000; ms += 500) {
      t.equal(await ask(), 'exec plugin aws: exit status 1: no network')
      clock.advance(500)
    }
    t.same(
      runs.map(({ atMs }) => (atMs - startMs) / 1000),
      [0, 1, 3, 7, 15, 31, 63, 123, 183, 243],
    )
    gives({ stdout: credential({ token: 'back' }) })
    clock.advance(60_000)
    t.equal(await ask(), 'back')
  },
)

t.test('what the API server refuses is not given again', async t => {
  const { clock, runs, plugin, ask, gives } = played()
  gives({ stdout: credential({ token: 'one' }) })
  t.equal(await ask(), 'one')
  clock.advance(3_600_000)
  gives({ stdout: credential({ token: 'two' }) })
  const refused = await plugin.credentials()
  for (let n = 0; n < 3; n++) plugin.refuse(refused)
  t.same([await ask(), await ask(), runs.length], ['two', 'two', 2], 'three who were refused are one run')
  plugin.refuse(refused)
  t.equal(await ask(), 'two', 'what is newer is not forgotten for it')
  plugin.refuse(await plugin.credentials())
  t.equal(await ask(), 'exec plugin aws: the API server refuses what it gives')
  clock.advance(1000)
  t.equal(await ask(), 'two')
  t.equal(runs.length, 3, 'new ones that are refused at once are not asked for in a loop')
})

t.test('what is said of it', async t => {
  const missing = Object.assign(new Error('spawn aws ENOENT'), { code: 'ENOENT' })
  const cases: [given: Partial<RunResult> | Error, words: string][] = [
    [{ outcome: 1 }, 'exit status 1: it wrote nothing'],
    [{ outcome: 2, stderr: '\u001b[31mlogin\u0007 first\n' }, 'exit status 2: [31mlogin first'],
    [{ outcome: 'SIGSEGV' }, 'ended by SIGSEGV: it wrote nothing'],
    [missing, 'it is not installed: get it at https://aws.example'],
    [new Error('spawn aws EACCES'), 'spawn aws EACCES'],
    [{ stdout: '' }, 'it gave nothing'],
    [{ stdout: 'token' }, 'what it gave is no JSON'],
    [{ stdout: '{}' }, 'it gave no ExecCredential'],
    [{ stdout: credential({ token: 't' }, 'client.authentication.k8s.io/v1beta1') }, `it is configured for ${V1} and gave client.authentication.k8s.io/v1beta1`],
    [{ stdout: JSON.stringify({ kind: 'ExecCredential', apiVersion: V1 }) }, 'it gave no status'],
    [{ stdout: credential({ token: '' }) }, 'it gave neither a token nor a certificate'],
    [{ stdout: credential({ clientKeyData: 'k' }) }, 'it gave a certificate or a key, not both'],
    [{ stdout: credential({ token: 't', expirationTimestamp: 'soon' }) }, 'its expirationTimestamp soon is no time'],
  ] // biome-ignore format: a table
  for (const [given, words] of cases) {
    const { ask, gives } = played({
      installHint: 'get it at \u001b[1mhttps://aws.example'.replace('[1m', ''),
    })
    gives(given)
    t.equal(await ask(), `exec plugin aws: ${words}`)
  }
  t.equal(
    await played({ interactiveMode: 'Always' }).ask(),
    'exec plugin aws: it wants a terminal (interactiveMode: Always)',
  )
})

t.test('real programs: one that fails, one that is missing', async t => {
  const { write, connect, folder } = await world(t)
  await write(exec('/bin/false'))
  t.match(
    await (await connect())(),
    /^credentials: using kubeconfig \S+: exec plugin \/bin\/false: exit status 1: it wrote nothing$/,
  )
  await write(exec('./missing', { installHint: 'Install it with: apt install it' }))
  t.match(
    await (await connect())(),
    new RegExp(`: exec plugin ${folder}/missing: it is not installed: Install it with: apt install it$`),
  )
  await write(exec('seamark-test-no-such-program'))
  t.match(await (await connect())(), /: exec plugin seamark-test-no-such-program: it is not installed$/)
})

t.test('a kubeconfig that changes elsewhere keeps what its plugin gave', async t => {
  let runs = 0
  const run: RunProgram = async () => ({
    stdout: credential({ token: `t${++runs}` }),
    stderr: '',
    outcome: 0,
  })
  const { write, connect, ca } = await world(t, { run })
  await write(exec('p'))
  const ask = await connect()
  t.equal(await ask(), 'ok')
  await write({ ...exec('p'), as: 'somebody' })
  t.equal(await ask(), 'ok')
  t.equal(runs, 1)
  await write(exec('p', { args: ['--other'] }), ca)
  t.equal(await ask(), 'ok')
  t.equal(runs, 2)
})

t.test(
  'a real program is ended with all that it has started, when it takes too long or says too much',
  async t => {
    const env = { PATH: process.env.PATH }
    const sh = (script: string, timeoutMs: number) => programRunner(timeoutMs)('sh', ['-c', script], env)
    await t.rejects(sh('sleep 60 & sleep 60', 100), { message: 'no end after 0.1 s' })
    await t.rejects(sh('yes', 60_000), { message: 'it gave more than 1048576 octets' })
    t.same(await sh('echo out; echo err >&2; exit 3', 60_000), {
      stdout: 'out\n',
      stderr: 'err\n',
      outcome: 3,
    })
    t.match(await sh('kill -9 $$', 60_000), { outcome: 'SIGKILL' })
  },
)
