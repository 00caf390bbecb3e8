// The user's own scenario: four services of config/examples, applied as YAML, then asked from a Pod's network namespace with nslookup and
// dig, by short name through the Pod's search path, from a server that listens on 10.96.0.10 port 53.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DnsServer } from './dns-server.ts'
import { hasProgram, PodNetwork } from './namespaces.ts'
import { eventually } from './processes.ts'
import { type Context, holds, type Suite, same } from './suite.ts'

const EXAMPLES = new URL('../../config/examples/', import.meta.url)
const FILES = ['1-kubia.yaml', '2-external-endpoints.yaml', '3-external-name.yaml', '4-headless.yaml']
const SERVICE_ADDRESS = '10.96.0.10'
const IN_DEFAULT = 'default.svc.cluster.local'
const RESOLV_CONF = `search ${IN_DEFAULT} svc.cluster.local cluster.local
nameserver ${SERVICE_ADDRESS}
options ndots:5
`

/** The addresses of the Pods with a label, as the API server knows them. */
async function podAddresses(context: Context, selector: string): Promise<string[]> {
  const query = `labelSelector=${encodeURIComponent(selector)}`
  const pods = await context.world.plane.client.list({ apiVersion: 'v1', kind: 'Pod' }, query)
  return pods.map(pod => String(pod.status?.podIP)).sort()
}

async function clusterIp(context: Context, name: string): Promise<string> {
  const service = await context.world.plane.client.get({ apiVersion: 'v1', kind: 'Service', name })
  return String(service.spec?.clusterIP)
}

/** The addresses that nslookup prints below the queried name, without the server's own. */
const nslookupAddresses = (output: string): string[] =>
  output
    .slice(output.indexOf('Name:'))
    .split('\n')
    .filter(line => line.startsWith('Address:'))
    .map(line => line.replace(/^Address:\s*/, '').trim())
    .filter(address => !address.includes(':'))
    .sort()

async function checkAnswers(context: Context, server: DnsServer): Promise<void> {
  const check = context.check.bind(context)
  await check('the headless service answers with its four Pods', async () => {
    await eventually('four addresses', async () => {
      const data = await server.data(`my-linkedin-headless-service.${IN_DEFAULT}`)
      return data.length === 4
    })
    const data = await server.data(`my-linkedin-headless-service.${IN_DEFAULT}`)
    same(data, await podAddresses(context, 'company=LinkedIn'), 'addresses')
  })
  await check('kubia-service answers with its ClusterIP', async () => {
    const address = await clusterIp(context, 'kubia-service')
    await eventually(
      'the address',
      async () => (await server.data(`kubia-service.${IN_DEFAULT}`))[0] === address,
    )
  })
  await check(
    'external-service-1 has a ClusterIP, one SRV for each named port, and names for its endpoints',
    async () => {
      const name = `external-service-1.${IN_DEFAULT}`
      same(await server.data(name), [await clusterIp(context, 'external-service-1')], 'A')
      same(await server.data(name, 'SRV'), [`0 50 8888 ${name}.`, `0 50 9999 ${name}.`], 'SRV')
      same(await server.data(`_visit-port._tcp.${name}`, 'SRV'), [`0 100 9999 ${name}.`], 'SRV of one port')
      await eventually(
        'the mirrored endpoints',
        async () => (await server.data(`180-101-49-11.${name}`))[0] === '180.101.49.11',
      )
      same(await server.data(`202-89-233-100.${name}`), ['202.89.233.100'], 'second endpoint')
    },
  )
  await check('external-service-3 is a CNAME with the addresses of its target', async () => {
    same(
      await server.data(`external-service-3.${IN_DEFAULT}`),
      ['202.89.233.100', '202.89.233.101', 'cn.bing.com.'],
      'records',
    )
  })
}

async function checkFromPod(context: Context): Promise<void> {
  const check = context.check.bind(context)
  const folder = context.scope.folder('pod')
  const resolvConf = join(folder, 'resolv.conf')
  writeFileSync(resolvConf, RESOLV_CONF)
  const pod = await PodNetwork.make(context.scope, folder, SERVICE_ADDRESS, resolvConf)
  await DnsServer.start(context.scope, context.world.subject, {
    access: [`kubeconfig ${context.world.plane.kubeconfigFile}`],
    upstreamPort: context.world.upstreamPort,
    address: SERVICE_ADDRESS,
    port: 53,
  })
  await check('nslookup my-linkedin-headless-service in a Pod lists all four Pods', async () => {
    const output = await pod.exec(['nslookup', 'my-linkedin-headless-service'])
    holds(output.includes(`${SERVICE_ADDRESS}#53`), `asked another server:\n${output}`)
    holds(output.includes(`my-linkedin-headless-service.${IN_DEFAULT}`), `no full name:\n${output}`)
    same(nslookupAddresses(output), await podAddresses(context, 'company=LinkedIn'), 'addresses')
  })
  await check('nslookup kubia-service in a Pod gives the ClusterIP', async () => {
    same(
      nslookupAddresses(await pod.exec(['nslookup', 'kubia-service'])),
      [await clusterIp(context, 'kubia-service')],
      'address',
    )
  })
  await check('nslookup external-service-3 in a Pod follows the CNAME', async () => {
    const output = await pod.exec(['nslookup', 'external-service-3'])
    holds(output.includes('canonical name = cn.bing.com.'), output)
    same(nslookupAddresses(output), ['202.89.233.100', '202.89.233.101'], 'addresses')
  })
  await check('nslookup of a missing name in a Pod says NXDOMAIN', async () => {
    const output = await pod.exec(['nslookup', 'no-such-service'])
    holds(output.includes('NXDOMAIN'), output)
  })
  await check('dig over TCP gives the SRV records of external-service-1', async () => {
    const output = await pod.exec(['dig', '+tcp', '+short', '+search', 'SRV', 'external-service-1'])
    const target = `external-service-1.${IN_DEFAULT}.`
    same(output.trim().split('\n').sort(), [`0 50 8888 ${target}`, `0 50 9999 ${target}`], 'records')
  })
  await check('dig -x names the Service of a ClusterIP', async () => {
    const output = await pod.exec(['dig', '+short', '-x', await clusterIp(context, 'kubia-service')])
    same(output.trim(), `kubia-service.${IN_DEFAULT}.`, 'name')
  })
}

export const suite: Suite = {
  name: 'four services',
  async run(context) {
    const { world } = context
    for (const file of FILES) await world.plane.client.apply(readFileSync(new URL(file, EXAMPLES), 'utf8'))
    const server = await context.serve(world.subject)
    await checkAnswers(context, server)
    const missing = ['nslookup', 'dig', 'nsenter'].find(name => !hasProgram(name))
    if (!world.inNamespaces)
      context.skip('questions from a Pod', 'network namespaces cannot be made on this machine')
    else if (missing) context.skip('questions from a Pod', `${missing} is not installed`)
    else await checkFromPod(context)
  },
}
