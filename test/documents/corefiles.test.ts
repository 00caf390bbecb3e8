// Every Corefile that a document prints is taken by Seamark without an error, with no warning but of what a block of a cluster
// lacks, and served: the examples of all directives by one process, each on a port of its own.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { formatProblem } from '../../src/corefile/problem.ts'
import { checkConfiguration } from '../../src/setup/configuration.ts'
import { makeAuthority } from '../support/certificates.ts'
import { DnstapReceiver } from '../support/dnstap-receiver.ts'
import { startFixedUpstream } from '../support/fixed-upstream.ts'
import { freePort } from '../support/free-port.ts'
import { makePlace } from '../support/served-corefile.ts'
import { corefilesOf, documents, ROOT } from './document.ts'

const ZONE = `$ORIGIN example.org.
@ 3600 IN SOA ns hostmaster 1 7200 1800 86400 300
@ 3600 IN NS ns
ns 3600 IN A 192.0.2.1
`
const certificate = makeAuthority().issue('dns.test')
/** What the Corefiles name. */
const FILES = {
  'db.example.org': ZONE,
  'zones/db.example.org': ZONE,
  NodeHosts: '192.0.2.12 node-1\n',
  'resolv.conf': 'nameserver 192.0.2.53\n',
  kubeconfig: '',
  'tls.crt': certificate.cert,
  'tls.key': certificate.key,
  'ca.crt': certificate.cert,
}
/** A block with `kubernetes` that is there for something else has neither probes nor all that a cluster wants. */
const LACKING = /: warning: no \w+ here: /

const printed = documents
  .filter(({ path }) => !path.startsWith('test/'))
  .flatMap(document => corefilesOf(document).map(text => ({ path: document.path, text })))

/** Names of files that are elsewhere in a cluster, and addresses that are not on this machine. */
const moved = (text: string, folder: string): string =>
  text
    .replaceAll('/etc/resolv.conf', join(folder, 'resolv.conf'))
    .replaceAll('/home/me/.kube/config', join(folder, 'kubeconfig'))
    .replaceAll('/etc/coredns', folder)
    .replaceAll('/var/lib/seamark', folder)
    .replaceAll('eth0', 'lo')

/** Blocks on ports of their own, answering for the cluster of a folder, that ask and tell only this machine. */
async function placed(
  text: string,
  folder: string,
  upstream: number,
): Promise<{ text: string; ports: number[] }> {
  const ports: number[] = []
  let out = ''
  for (const line of moved(text, folder).split('\n')) {
    if (/^\S.* \{$/.test(line)) {
      const port = await freePort()
      if (!/\b(?:tls|https):/.test(line)) ports.push(port)
      const keys = line.slice(0, -2).replace(/:\d+(?= |$)/g, '')
      out += `${keys.replace(/(?= |$)/g, `:${port}`)} {\n`
      if (!/^ +bind /m.test(text)) out += '    bind 127.0.0.1\n'
      continue
    }
    const http = /^( +(?:health|ready|prometheus)\b)(?: :\d+)?( \{)?$/.exec(line)
    if (http) out += `${http[1]} 127.0.0.1:${await freePort()}${http[2] ?? ''}\n`
    else if (/^ +kubernetes .*[^{]$/.test(line)) out += `${line} {\n${MANIFESTS}    }\n`
    else if (/^ +kubernetes .*\{$/.test(line)) out += `${line}\n${MANIFESTS}`
    else if (/^ +forward /.test(line))
      out += line.replace(/^( +forward \S+) [^{]*?( \{)?$/, `$1 127.0.0.1:${upstream}$2\n`)
    else if (!/^ +(?:kubeconfig|snapshot|tls_servername) /.test(line))
      out += `${line.replace(/^( +bind) [^{]*/, '$1 127.0.0.1 ').replace(/192\.0\.2\.5(?=[34])/g, '127.0.0.')}\n`
  }
  return { text: out, ports }
}
const MANIFESTS = `        manifests ${join(ROOT, 'config', 'examples')}\n`

t.test('each is taken', async t => {
  t.ok(printed.length > 35, `${printed.length} Corefiles`)
  const folder = t.testdir({})
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  for (const { path, text } of printed) {
    const file = join(folder, 'Corefile')
    writeFileSync(file, moved(text, folder))
    const problems = checkConfiguration({ file, port: 53 }).problems.map(formatProblem)
    t.strictSame(
      problems.filter(problem => !LACKING.test(problem)),
      [],
      `${path}: ${text.split('\n').slice(0, 3).join(' ')}`,
    )
  }
})

t.test('each is served', async t => {
  const place = await makePlace(t, '', FILES)
  const upstream = await startFixedUpstream([], false)
  t.teardown(upstream.close)
  const receiver = await DnstapReceiver.listen(0)
  t.teardown(() => receiver.stop())
  const blocks = await Promise.all(printed.map(({ text }) => placed(text, place.folder, upstream.port)))
  const text = blocks.map(block => block.text).join('')
  const administered = text.replaceAll('127.0.0.1:8053', `127.0.0.1:${await freePort()}`)
  place.write(administered.replaceAll('tcp://127.0.0.1:6000', `tcp://127.0.0.1:${receiver.port}`))
  const server = await place.start()
  const ports = blocks.flatMap(block => block.ports)
  await Promise.all(ports.map(port => server.answers(port)))
  t.ok(ports.length > 35, `${ports.length} server blocks answer`)
  t.notMatch(server.output(), /^\[(?:ERROR|WARNING)\]/m, 'nothing is wrong')
})
