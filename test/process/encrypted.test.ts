// The server as clients of encrypted DNS meet it: every transport of one Corefile, the idle time that they are told, dig,
// and how many threads there are.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { makeAuthority } from '../support/certificates.ts'
import { query, type Reply } from '../support/dns-client.ts'
import { type FileText, type Served, serveCorefile } from '../support/served-corefile.ts'
import { absent } from '../support/system-program.ts'

const run = promisify(execFile)
const EXAMPLES = join(import.meta.dirname, '..', '..', 'config', 'examples')
const NAME = 'kubernetes.default.svc.cluster.local'
const authority = makeAuthority()
const KEEPALIVE = 11

const corefile =
  (more: string): Exclude<FileText, string> =>
  ({ dns, tls, https, metrics }) =>
    `
.:${dns} tls://.:${tls} https://.:${https} {
  bind 127.0.0.1
  tls tls.crt tls.key
  timeouts {
    idle 20s
    maxtcpqueries 2
  }
  ${more}
  kubernetes cluster.local {
    manifests ${EXAMPLES}
  }
  forward . tls://127.0.0.1:${tls} {
    tls ca.crt
  }
  prometheus 127.0.0.1:${metrics}
}
`

function start(t: Test, text: FileText = corefile('')): Promise<Served> {
  const { cert, key } = authority.issue('dns')
  return serveCorefile(t, text, {
    files: { 'tls.crt': cert, 'tls.key': key, 'ca.crt': authority.cert },
  })
}

t.test('every transport', async t => {
  const { ports: at, metrics, server } = await start(t)
  const { dns, tls, https } = at
  const ports = { udp: dns, tcp: dns, tls, https, 'https-get': https } as const
  const askOver = (over: keyof typeof ports, name: string, keepalive = false): Promise<Reply> =>
    query(ports[over], {
      name,
      ...(over === 'tcp' ? { tcp: true } : over === 'udp' ? {} : { over }),
      edns: keepalive ? { options: [{ code: KEEPALIVE, data: new Uint8Array(0) }] } : true,
    })
  for (const over of ['udp', 'tcp', 'tls', 'https', 'https-get'] as const) {
    await t.test(over, async t => {
      const { answer, rcode, http } = await askOver(over, NAME)
      t.same([rcode, answer], ['NOERROR', [`${NAME}. 5 IN A 10.96.0.1`]])
      if (over.startsWith('https')) t.equal(http, '200 application/dns-message max-age=5')
      t.equal((await askOver(over, `nope.${NAME}`)).rcode, 'NXDOMAIN')
      const told = (await askOver(over, NAME, true)).edns?.options.filter(({ code }) => code === KEEPALIVE)
      const expected =
        over === 'tcp' || over === 'tls' ? [{ code: KEEPALIVE, data: Uint8Array.of(0, 200) }] : []
      t.same(
        told?.map(({ code, data }) => ({ code, data: Uint8Array.from(data) })),
        expected,
        'the idle time',
      )
    })
  }
  const text = await metrics()
  for (const label of [
    `coredns_dns_requests_total{family="1",proto="udp",server="dns://127.0.0.1:${dns}",type="A",view="",zone="."} 3`,
    `coredns_dns_requests_total{family="1",proto="tcp",server="dns://127.0.0.1:${dns}",type="A",view="",zone="."} 3`,
    `coredns_dns_requests_total{family="1",proto="tcp",server="tls://127.0.0.1:${tls}",type="A",view="",zone="."} 3`,
    `coredns_dns_requests_total{family="1",proto="tcp",server="https://127.0.0.1:${https}",type="A",view="",zone="."} 6`,
    `coredns_dns_https_responses_total{server="https://127.0.0.1:${https}",status="200"} 6`,
  ])
    t.ok(text.includes(`${label}\n`), label)
  await t.test('dig', { skip: absent('dig') }, async t => {
    const dig = async (port: number, ...flags: string[]): Promise<string> =>
      (await run('dig', ['@127.0.0.1', '-p', `${port}`, '+tries=1', '+time=2', '+short', ...flags, NAME]))
        .stdout
    t.equal(await dig(tls, '+tls'), '10.96.0.1\n')
    t.equal(await dig(https, '+https'), '10.96.0.1\n')
    t.equal(await dig(https, '+https-get'), '10.96.0.1\n')
  })
  t.equal(await server.stop(), 0)
})

t.test('how many threads, and of which kind', async t => {
  const withoutHttps: FileText = (ports, folder) =>
    corefile('multisocket 3')(ports, folder).replace(/ https:\S+/, '')
  const { server, ports, metrics, write } = await start(t, withoutHttps)
  const serving = (await metrics()).match(/seamark_thread_busy_ratio\{thread="serving-\d"\}/g)
  t.equal(serving?.length, 3)
  write(corefile('multisocket 5'))
  server.child.kill('SIGUSR1')
  await server.printed(
    '[WARNING] plugin/multisocket: 5 serving threads need a restart; the 3 that were started go on',
  )
  await server.printed(
    '[WARNING] queries over HTTPS are served, and cost less after a restart: the serving threads were started without room for them',
  )
  for (const over of ['tls', 'https'] as const)
    t.equal((await query(ports[over], { name: NAME, over })).rcode, 'NOERROR', over)
})
