// `seamark explain` on a real API server, as a Pod sees it: the four services of config/examples, before and after each is broken
// in the way that people break them. The server is asked at its administration socket by the command itself.

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Report } from '../../src/explain/report.ts'
import { serverCommand } from './dns-server.ts'
import { eventually, freePorts } from './processes.ts'
import { type Context, holds, type Suite, same } from './suite.ts'

const EXAMPLES = new URL('../../config/examples/', import.meta.url)
const FILES = ['1-kubia.yaml', '2-external-endpoints.yaml', '3-external-name.yaml', '4-headless.yaml']
const NAMESPACE = 'explained'
const IN_NAMESPACE = `${NAMESPACE}.svc.cluster.local`

const inNamespace = (yaml: string): string =>
  yaml.replace(/^metadata:\n/gm, `metadata:\n  namespace: ${NAMESPACE}\n`)

interface Broken {
  readonly title: string
  readonly args: readonly string[]
  /** While it works. */
  readonly before: RegExp
  readonly breakIt: (context: Context) => Promise<unknown>
  readonly cause: RegExp
  readonly advice: RegExp
}

const patch = (context: Context, name: string, spec: Readonly<Record<string, unknown>>): Promise<unknown> =>
  context.world.plane.client.patch(
    { apiVersion: 'v1', kind: 'Service', namespace: NAMESPACE, name },
    { spec },
  )

const BROKEN: readonly Broken[] = [
  {
    title: 'kubia-service, which somebody deletes',
    args: ['kubia-service'],
    before: /^kubia-service\.explained\.svc\.cluster\.local resolves to [\d.]+, says kubernetes\.$/,
    breakIt: ({ world }) =>
      world.plane.client.delete({
        apiVersion: 'v1',
        kind: 'Service',
        namespace: NAMESPACE,
        name: 'kubia-service',
      }),
    cause: /^There is no Service kubia-service in namespace explained\.$/,
    advice: /^(?:Ask for kubia-service\.|Look at the Services: kubectl -n explained get services)/,
  },
  {
    title: 'external-service-1, whose port gets another name',
    args: ['_visit-port._tcp.external-service-1', 'SRV'],
    before: /^_visit-port\._tcp\.external-service-1\.explained\.svc\.cluster\.local resolves to 0 \d+ 9999 /,
    breakIt: context =>
      patch(context, 'external-service-1', { ports: [{ name: 'visits', port: 9999, targetPort: 80 }] }),
    cause:
      /^Service external-service-1 in namespace explained has no tcp port called visit-port; it has .*visits\/tcp/,
    advice: /^Ask for _.*\._tcp\.external-service-1\.explained\.svc\.cluster\.local\.$/,
  },
  {
    title: 'external-service-3, which is pointed to a host that is not there',
    args: ['external-service-3'],
    before: /^external-service-3\.explained\.svc\.cluster\.local resolves to 202\.89\.233\.10/,
    breakIt: context => patch(context, 'external-service-3', { externalName: 'gone.bing.com' }),
    cause:
      /^Service explained\/external-service-3 is an ExternalName to gone\.bing\.com, which has no A record: \S+ says NXDOMAIN\.$/,
    advice: /^Change spec\.externalName/,
  },
  {
    title: 'my-linkedin-headless-service, whose selector matches no Pod',
    args: ['my-linkedin-headless-service'],
    before:
      /^my-linkedin-headless-service\.explained\.svc\.cluster\.local resolves to (?:[\d.]+, ){3}[\d.]+, says kubernetes\.$/,
    breakIt: context => patch(context, 'my-linkedin-headless-service', { selector: { company: 'LinkdIn' } }),
    cause:
      /^Headless Service my-linkedin-headless-service in namespace explained has no ready endpoints: its selector company=LinkdIn matches no Pod\.$/,
    advice:
      /^Make its selector and the labels of its Pods equal: kubectl -n explained get pods --show-labels\.$/,
  },
]

/** What the command says, with its exit status. */
async function explain(port: number, pod: string, args: readonly string[]): Promise<Report> {
  const [program = '', ...flags] = serverCommand('seamark')
  const options = ['--from', `${NAMESPACE}/${pod}`, '--server', `127.0.0.1:${port}`, '--json']
  const command = [...flags, 'explain', ...args, ...options]
  const { status, stdout } = await new Promise<{ status: unknown; stdout: string }>(resolve => {
    execFile(program, command, (error, stdout) => resolve({ status: error ? error.code : 0, stdout }))
  })
  const report = JSON.parse(stdout) as Report
  same(status, report.status, 'the exit status')
  return report
}

export const suite: Suite = {
  name: 'explain',
  async run(context) {
    if (context.world.subject !== 'seamark') {
      context.skip('explanations', 'CoreDNS has none')
      return
    }
    const { client } = context.world.plane
    await client.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }])
    for (const file of FILES) await client.apply(inNamespace(readFileSync(new URL(file, EXAMPLES), 'utf8')))
    const [port = 0] = await freePorts(1)
    await context.serve('seamark', { server: [`admin 127.0.0.1:${port}`] })
    const pod = await eventually('a Pod with an address', async () => {
      const pods = await client.list({ apiVersion: 'v1', kind: 'Pod', namespace: NAMESPACE })
      return pods.find(({ status }) => status?.podIP)?.metadata.name
    })
    for (const { title, args, before, breakIt, cause, advice } of BROKEN) {
      await context.check(title, async () => {
        const working = await eventually('that it resolves', async () => {
          const report = await explain(port, pod, args)
          return report.status === 0 && before.test(report.cause) && report
        })
        holds(working.resolver.includes(`search ${IN_NAMESPACE} svc.cluster.local`), working.resolver)
        await breakIt(context)
        const broken = await eventually('that it does not', async () => {
          const report = await explain(port, pod, args)
          return report.status === 1 && cause.test(report.cause) && report
        })
        holds(advice.test(broken.advice), broken.advice)
      })
    }
  },
}
