// In-cluster credentials: a ServiceAccount's token and authority where Pods find them, the API server by environment.
// The rights are withdrawn and restored, the token is replaced and the old one void; the last state is served meanwhile.

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

export const suite: Suite = {
  name: 'credentials',
  async run(context) {
    const { plane, subject, upstreamPort, inNamespaces } = context.world
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
