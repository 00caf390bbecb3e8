// Parity with CoreDNS on one API server: the fixture and some hundred generated objects, thousands of questions, several
// configurations of the kubernetes block. Each difference is either in differences.ts or a failure.

import { ACCEPTED_DIFFERENCES, CORE_DNS_SILENCE } from './differences.ts'
import type { CorefileOptions } from './dns-server.ts'
import { fixtureNamespaces, fixtureObjects, service, slice } from './every-object.ts'
import { generatedNamespaces, generatedObjects } from './generated.ts'
import {
  CLUSTERSET_ZONE,
  clustersetQuestions,
  importedObjects,
  serviceImportDefinition,
} from './multicluster.ts'
import { run } from './namespaces.ts'
import { compare, describeDifferences } from './parity.ts'
import { eventually } from './processes.ts'
import type { ParityQuestion } from './questions.ts'
import { parityQuestions, readInventory } from './questions.ts'
import { type Context, holds, type Suite } from './suite.ts'

const SEED = 20260820
const GENERATED_SERVICES = 150
const PARALLEL = 8
/** An address that is not a loopback one, in the run's own network namespace. */
const OWN_ADDRESS = '10.244.254.1'
/** Pods of the fixture's workloads: db 3, front 2, starting 2. */
const FIXTURE_PODS = 7
/** The controllers may still be waiting to come back to an API server that was killed before. */
const WORKLOADS_DEADLINE_MS = 60_000

/** Lines of the kubernetes block, by what they are about; the first is the stock file's. */
const CONFIGURATIONS: Readonly<Record<string, readonly string[]>> = {
  'stock configuration': ['pods insecure'],
  'pods verified, endpoint_pod_names': ['pods verified', 'endpoint_pod_names'],
  'pods disabled, noendpoints': ['noendpoints'],
  'namespaces, ignore empty_service': [
    'pods insecure',
    'namespaces demo svc gen-0 gen-1',
    'ignore empty_service',
  ],
  namespace_labels: ['pods insecure', 'namespace_labels team=blue'],
  labels: ['pods insecure', 'labels tier in (web, data)'],
  zonal: ['pods insecure', 'zonal'],
}

/** Compares both under one configuration; `known` names have to give their address before. */
async function compareTwo(
  context: Context,
  options: Partial<CorefileOptions>,
  questions: readonly ParityQuestion[],
  known: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { subject } = context.world
  const table = subject === 'coredns' ? [CORE_DNS_SILENCE] : ACCEPTED_DIFFERENCES
  const servers = await Promise.all([context.serve('coredns', options), context.serve(subject, options)])
  for (const server of servers)
    for (const [name, address] of Object.entries(known))
      await eventually(`${name} at ${server.kind}`, async () => (await server.data(name)).includes(address))
  const report = await compare(...servers, questions, table)
  await Promise.all(servers.map(server => server.stop()))
  for (const [id, count] of report.accepted) context.note(`${count} × accepted difference ${id}`)
  holds(report.differences.length === 0, describeDifferences(report))
}

/** Imported Services, in a zone of their own beside cluster.local. */
async function compareMulticluster(context: Context, questions: readonly ParityQuestion[]): Promise<void> {
  const { client } = context.world.plane
  await client.applyObject(serviceImportDefinition())
  await eventually('ServiceImports', async () => {
    await client.apply(importedObjects())
    return true
  })
  const options = {
    zones: ['cluster.local', CLUSTERSET_ZONE],
    kubernetes: ['pods insecure', `multicluster ${CLUSTERSET_ZONE}`],
  }
  await compareTwo(context, options, [
    ...clustersetQuestions(questions),
    ...questions.filter((_, at) => at % 10 === 0),
  ])
}

async function fill(context: Context): Promise<void> {
  const { client } = context.world.plane
  await client.apply([...fixtureNamespaces(), ...generatedNamespaces()])
  await client.apply([...fixtureObjects(), ...generatedObjects(SEED, GENERATED_SERVICES)], PARALLEL)
  await eventually(
    'the workloads',
    async () => {
      const pods = await client.list({ apiVersion: 'v1', kind: 'Pod', namespace: 'demo' })
      return pods.filter(({ status }) => status?.podIP).length === FIXTURE_PODS
    },
    WORKLOADS_DEADLINE_MS,
  )
  const balanced = { apiVersion: 'v1', kind: 'Service', namespace: 'demo', name: 'balanced' }
  await client.patch(
    balanced,
    { status: { loadBalancer: { ingress: [{ ip: '192.0.2.77' }, { hostname: 'lb.example.net' }] } } },
    'status',
  )
  await eventually('the mirrored endpoints', async () => {
    const slices = await client.list({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      namespace: 'demo',
    })
    return slices.some(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === 'legacy')
  })
}

/** The name server's own names, which come from the addresses that it listens on: first unknown to the cluster, then known. */
async function compareOwnNames(context: Context): Promise<void> {
  run(['ip', 'address', 'add', `${OWN_ADDRESS}/32`, 'dev', 'lo'])
  context.scope.add(
    'own address',
    () => void run(['ip', 'address', 'delete', `${OWN_ADDRESS}/32`, 'dev', 'lo']),
  )
  const names = [
    'cluster.local',
    'CLUSTER.local',
    'ns.dns.cluster.local',
    'Ns.dns.cluster.local',
    'kube-dns.kube-system.svc.cluster.local',
  ]
  const questions = names.flatMap(name =>
    ['NS', 'A', 'AAAA', 'SOA', 'SRV', 'TXT', 'ANY'].map(type => ({ name, type })),
  )
  await compareTwo(context, { bind: false }, questions, { 'ns.dns.cluster.local': OWN_ADDRESS })
  await context.world.plane.client.apply([
    service('kube-system', 'kube-dns', { clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'] }),
    slice('kube-system', 'kube-dns-1', 'kube-dns', [{ addresses: [OWN_ADDRESS] }]),
  ])
  await compareTwo(context, { bind: false }, questions, {
    'kube-dns.kube-system.svc.cluster.local': '10.96.0.10',
  })
}

export const suite: Suite = {
  name: 'parity',
  async run(context) {
    const { world } = context
    holds(
      await context.attempt('the API server accepts the objects', () => fill(context)),
      'no objects, no parity',
    )
    const inventory = await readInventory(world.plane.client)
    const questions = parityQuestions(inventory, SEED)
    context.note(
      `${inventory.services.length} Services, ${inventory.slices.length} EndpointSlices, ${inventory.namespaces.length} namespaces; ` +
        `${questions.length} questions`,
    )
    await context.check('a comparison of two different configurations finds differences', async () => {
      const [reference, other] = await Promise.all([
        context.serve('coredns'),
        context.serve('coredns', { kubernetes: ['noendpoints'] }),
      ])
      const some = questions.filter(
        ({ name }) => name.startsWith('hl.demo.svc.') || name.startsWith('web.demo.svc.'),
      )
      const { differences } = await compare(reference, other, some, [])
      await Promise.all([reference.stop(), other.stop()])
      holds(
        differences.some(({ question }) => question.name.startsWith('hl.')),
        'no difference at the headless service',
      )
      holds(!differences.some(({ question }) => question.name.startsWith('web.')), 'a difference at web')
    })
    for (const [name, kubernetes] of Object.entries(CONFIGURATIONS))
      await context.check(name, () => compareTwo(context, { kubernetes }, questions))
    const ownNames = 'names of the name server itself'
    if (context.world.inNamespaces) await context.check(ownNames, () => compareOwnNames(context))
    else context.skip(ownNames, 'network namespaces cannot be made on this machine')
    await context.check('multicluster', () => compareMulticluster(context, questions))
  },
}
