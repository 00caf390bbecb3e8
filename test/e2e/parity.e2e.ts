// Parity with CoreDNS on one API server: the fixture and some hundred generated objects, thousands of questions, several
// configurations of the kubernetes block. Each difference is either in differences.ts or a failure.

import { ACCEPTED_DIFFERENCES, CORE_DNS_SILENCE } from './differences.ts'
import { fixtureNamespaces, fixtureObjects } from './fixture.ts'
import { generatedNamespaces, generatedObjects } from './generated.ts'
import { compare, describeDifferences } from './parity.ts'
import { eventually } from './processes.ts'
import { parityQuestions, readInventory } from './questions.ts'
import { type Context, holds, type Suite } from './suite.ts'

const SEED = 20260820
const GENERATED_SERVICES = 150
const PARALLEL = 8
/** Pods of the fixture's workloads: db 3, front 2, starting 2. */
const FIXTURE_PODS = 7

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

async function fill(context: Context): Promise<void> {
  const { client } = context.world.plane
  await client.apply([...fixtureNamespaces(), ...generatedNamespaces()])
  await client.apply([...fixtureObjects(), ...generatedObjects(SEED, GENERATED_SERVICES)], PARALLEL)
  await eventually('the workloads', async () => {
    const pods = await client.list({ apiVersion: 'v1', kind: 'Pod', namespace: 'demo' })
    return pods.filter(({ status }) => status?.podIP).length === FIXTURE_PODS
  })
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

export const suite: Suite = {
  name: 'parity',
  async run(context) {
    const { world } = context
    holds(
      await context.check('the API server accepts the objects', () => fill(context)),
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
    const table = world.subject === 'coredns' ? [CORE_DNS_SILENCE] : ACCEPTED_DIFFERENCES
    for (const [name, kubernetes] of Object.entries(CONFIGURATIONS)) {
      await context.check(name, async () => {
        const [reference, subject] = await Promise.all([
          context.serve('coredns', { kubernetes }),
          context.serve(world.subject, { kubernetes }),
        ])
        const report = await compare(reference, subject, questions, table)
        await Promise.all([reference.stop(), subject.stop()])
        for (const [id, count] of report.accepted) context.note(`${count} × accepted difference ${id}`)
        holds(report.differences.length === 0, describeDifferences(report))
      })
    }
  },
}
