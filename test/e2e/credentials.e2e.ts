// In-cluster credentials: a ServiceAccount's token and authority where Pods find them, the API server by environment.
// The rights are withdrawn and restored, the token is replaced and the old one void; the last state is served meanwhile. And a
// kubeconfig with a program that gives the token, in somebody else's name.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DnsServer } from './dns-server.ts'
import { withServiceAccount } from './namespaces.ts'
import { eventually } from './processes.ts'
import { ServiceAccount } from './service-account.ts'
import { Steady } from './steady.ts'
import { type Context, holds, type Suite } from './suite.ts'
import { TcpProxy } from './tcp-proxy.ts'

/** The API server remembers for 10 s that a token or a right was good. */
const REFUSED_DEADLINE_MS = 40_000
/** A server may wait between two attempts, CoreDNS up to a minute before it reads a token file again. */
const RECOVERY_DEADLINE_MS = 120_000
/** Seamark reads the token at once when it is refused. */
const SEAMARK_RECOVERY_DEADLINE_MS = 40_000

async function checkRights(
  context: Context,
  account: ServiceAccount,
  steady: Steady,
  server: DnsServer,
  proxy: TcpProxy,
): Promise<void> {
  const { subject } = context.world
  await context.check('rights withdrawn: the last state is served; restored: changes are seen', () =>
    steady.during(server, async () => {
      await account.withdraw()
      await eventually('403', async () => (await account.status(account.token)) === 403, REFUSED_DEADLINE_MS)
      proxy.cut()
      await steady.change('without-rights', true)
      // Of all resources: each is refused by itself.
      const wanted = subject === 'seamark' ? /endpointslices: 403 forbidden/ : /403|forbidden/i
      const refused = (): boolean => wanted.test(server.program.log())
      await eventually('the refusal in the log', refused, RECOVERY_DEADLINE_MS)
      await account.restore()
      await steady.seen(server, 'without-rights', true, RECOVERY_DEADLINE_MS)
    }),
  )
  if (subject !== 'seamark')
    return context.skip('the log names the missing permission', 'only Seamark promises that')
  await context.check('the log names the missing permission', () => {
    const log = server.program.log()
    for (const word of ['endpointslices', 'discovery.k8s.io', 'watch'])
      holds(log.includes(word), `the log does not name ${word}:\n${log}`)
  })
}

async function checkRotation(
  context: Context,
  account: ServiceAccount,
  steady: Steady,
  server: DnsServer,
  proxy: TcpProxy,
): Promise<void> {
  const deadlineMs = context.world.subject === 'seamark' ? SEAMARK_RECOVERY_DEADLINE_MS : RECOVERY_DEADLINE_MS
  await context.check('the token is replaced and the old one void: changes are seen', () =>
    steady.during(server, async () => {
      const old = account.token
      const voidOld = await account.renew()
      await voidOld()
      await eventually(
        '401 for the old token',
        async () => (await account.status(old)) === 401,
        REFUSED_DEADLINE_MS,
      )
      proxy.cut()
      await steady.change('after-rotation', true)
      await steady.seen(server, 'after-rotation', true, deadlineMs)
    }),
  )
}

/** A program that gives the administrator's token to who says who asks, and in whose name it is then used. */
async function checkKubeconfig(context: Context): Promise<void> {
  const { plane, subject } = context.world
  const folder = context.scope.folder('kubeconfig')
  const config: Kubeconfig = JSON.parse(plane.kubeconfigFor(plane.port))
  const apiVersion = 'client.authentication.k8s.io/v1'
  const status = { token: config.users[0]!.user.token }
  const credential = JSON.stringify({ kind: 'ExecCredential', apiVersion, status })
  const runs = join(folder, 'runs')
  writeFileSync(
    join(folder, 'plugin.sh'),
    `#!/bin/sh\necho "$KUBERNETES_EXEC_INFO" >>${runs}\ncat <<'END'\n${credential}\nEND\n`,
    { mode: 0o700 },
  )
  const exec = { apiVersion, command: './plugin.sh', interactiveMode: 'Never', provideClusterInfo: true }
  // Nobody has rights; their group has all.
  const impersonation = {
    as: 'nobody',
    'as-groups': ['system:masters'],
    'as-uid': '1',
    'as-user-extra': { why: ['e2e'] },
  }
  const user = { name: config.users[0]!.name, user: { exec, ...impersonation } }
  writeFileSync(join(folder, 'config'), JSON.stringify({ ...config, users: [user] }))
  await context.check('an exec plugin beside the kubeconfig, and all headers of impersonation', async () => {
    const server = await context.serve(subject, { access: [`kubeconfig ${folder}/config`] })
    holds(await server.isReady(), 'not ready')
    const told = readFileSync(runs, 'utf8').trimEnd().split('\n')
    holds(told.length === 1, `the plugin was run ${told.length} times`)
    holds(new RegExp(`"server":"https://127.0.0.1:${plane.port}"`).test(told[0] ?? ''), String(told[0]))
  })
}

interface Kubeconfig {
  readonly users: readonly { readonly name: string; readonly user: { readonly token: string } }[]
}

export const suite: Suite = {
  name: 'credentials',
  async run(context) {
    const { plane, subject, upstreamPort, inNamespaces } = context.world
    await checkKubeconfig(context)
    if (!inNamespaces) {
      context.skip('in-cluster credentials', 'mount namespaces cannot be made on this machine')
      return
    }
    const steady = await Steady.create(context, 'credentials')
    const account = await ServiceAccount.create(plane, 'e2e-dns', context.scope.folder('account'))
    const proxy = await TcpProxy.start(context.scope, plane.port)
    const server = await DnsServer.start(context.scope, subject, {
      upstreamPort,
      env: {
        ...process.env,
        KUBERNETES_SERVICE_HOST: '127.0.0.1',
        KUBERNETES_SERVICE_PORT: String(proxy.port),
      },
      wrap: withServiceAccount(account.folder),
    })
    await context.check('in-cluster credentials are found', () =>
      steady.during(server, () => steady.seen(server, 'web', true, 5000)),
    )
    await checkRights(context, account, steady, server, proxy)
    await checkRotation(context, account, steady, server, proxy)
  },
}
