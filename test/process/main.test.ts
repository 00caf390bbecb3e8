// The command as an operator meets it: a process with flags, a working directory, signals and an exit status; what it says
// about everything that keeps it from serving; and `dig` and `nslookup` asking it.

import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { query } from '../support/dns-client.ts'
import { freePort } from '../support/free-port.ts'
import { type Seamark, spawnSeamark } from '../support/seamark.ts'
import { absent } from '../support/system-program.ts'

const run = promisify(execFile)
/** The last lines of the start: from here on signals are answered. */
const BANNER = /^Seamark-.*\n.*node/m
const EXAMPLES = join(import.meta.dirname, '..', '..', 'config', 'examples')
const WHOAMI = '. {\n  bind 127.0.0.1\n  whoami\n}\n'
const CLUSTER = `. {\n  bind 127.0.0.1\n  kubernetes cluster.local in-addr.arpa {\n    manifests ${EXAMPLES}\n  }\n}\n`
/** Two known words with faults inside, one that comes later, one that nobody knows. */
const BROKEN = [
  '. {',
  '  bind 127.0.0.1',
  '  kubernetes cluster.local {',
  '    pods maybe',
  '    tll 5',
  '  }',
  '  route53',
  '  nonsense',
  '}',
  '',
].join('\n')
const FAULTS = [
  /Corefile:4:10: error: .*found "maybe"; allowed: disabled, insecure, verified/,
  /Corefile:5:5: error: .*found "tll"; allowed: .*ttl/,
  /Corefile:7:3: error: route53 is not offered/,
  /Corefile:8:3: error: unknown directive .*found "nonsense"; allowed: .*whoami/,
]

/** Starts the command in a folder with these files; the test's end stops it. */
function start(
  test: Test,
  files: Record<string, string>,
  flags: readonly string[],
): Seamark & { folder: string } {
  const folder = test.testdir(files)
  const server = spawnSeamark(flags, { cwd: folder })
  test.teardown(() => server.stop('SIGKILL'))
  return { ...server, folder }
}

/** Runs the command to its end. */
async function finish(
  test: Test,
  files: Record<string, string>,
  flags: readonly string[],
): Promise<{ readonly status: number | null; readonly output: string; readonly folder: string }> {
  const { ended, output, folder } = start(test, files, flags)
  const status = await ended()
  return { status, output: output(), folder }
}

async function isFree(test: Test, port: number): Promise<void> {
  const again = createSocket('udp4').bind(port, '127.0.0.1')
  await once(again, 'listening')
  again.close()
  test.pass('the port is free again')
}

t.test('serves what the flags name, and ends with 0', async t => {
  const port = await freePort()
  const files = { Corefile: WHOAMI, other: WHOAMI }
  const cases: [flags: string, signal: NodeJS.Signals][] = [
    [`-conf other -p ${port}`, 'SIGTERM'],
    [`--conf=other --dns.port=${port}`, 'SIGINT'],
    [`-dns.port ${port} --conf other`, 'SIGTERM'],
    [`-p=${port}`, 'SIGINT'],
  ]
  for (const [flags, signal] of cases) {
    await t.test(`seamark ${flags.replace(String(port), 'PORT')}`, async t => {
      const server = start(t, files, flags.split(' '))
      await server.printed(BANNER)
      const reply = await query(port, { name: 'who.example.org', tcp: true })
      t.equal(reply.rcode, 'NOERROR')
      t.match(reply.additional.join('\n'), /127\.0\.0\.1/, 'whoami answers')
      t.equal(await server.stop(signal), 0, `${signal} ends it with 0`)
      await isFree(t, port)
    })
  }
})

t.test('the banner says what is served and where', async t => {
  const port = await freePort()
  const server = start(t, { Corefile: CLUSTER }, ['-p', String(port)])
  await server.printed(/^Try:/m)
  await server.printed(/-x \d/)
  t.match(server.output(), new RegExp(`^(\\.|cluster\\.local\\.):${port} on 127\\.0\\.0\\.1$`, 'm'))
  t.match(server.output(), /^Seamark-\d+\.\d+\.\d+$/m)
  t.match(server.output(), /^kubia-service\.default\.svc\.cluster\.local +A +\d/m)
  t.match(server.output(), new RegExp(`dig @127\\.0\\.0\\.1 -p ${port} `))
  t.equal(await server.stop(), 0)
})

t.test('a Corefile from the standard input', async t => {
  const port = await freePort()
  const server = start(t, {}, ['-conf', 'stdin', '-p', String(port)])
  server.child.stdin?.end(WHOAMI)
  await server.printed(BANNER)
  t.equal(await server.stop(), 0)
})

t.test('without any Corefile it says who asks', async t => {
  const port = await freePort()
  const server = start(t, {}, ['-p', String(port)])
  await server.printed(BANNER)
  const reply = await query(port, { name: 'example.org' })
  t.match(reply.additional.join('\n'), /127\.0\.0\.1/)
  await server.printed(/example\.org\. udp/)
  t.equal(await server.stop(), 0)
})

t.test('-quiet prints nothing while all is well', async t => {
  const port = await freePort()
  const server = start(t, { Corefile: CLUSTER }, ['-quiet', '-p', String(port)])
  await server.answers(port)
  const reply = await query(port, { name: 'kubia-service.default.svc.cluster.local' })
  t.equal(reply.answer.length, 1)
  t.equal(server.output(), '')
})

t.test('-log-format=json: every line of the process is an object, those of queries with fields', async t => {
  const port = await freePort()
  const Corefile = '. {\n  bind 127.0.0.1\n  log . "{type} \\"{name}\\""\n  whoami\n}\n'
  const server = start(t, { Corefile }, ['-log-format=json', '-p', String(port)])
  await server.printed(/node \d/)
  await server.answers(port)
  await query(port, { name: 'Example.ORG' })
  await server.printed(/"qname":"example/)
  t.equal(await server.stop(), 0)
  const lines = server.output().trim().split('\n')
  const objects = lines.map(line => JSON.parse(line))
  for (const { time, level, msg } of objects) {
    t.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    t.match(level, /^(?:INFO|WARNING)$/)
    t.type(msg, 'string')
  }
  t.match(
    objects.find(({ qname }) => qname === 'example.org.'),
    {
      msg: 'A "example.org."',
      client_ip: '127.0.0.1',
      client_port: Number,
      id: Number,
      qtype: 'A',
      qclass: 'IN',
      proto: 'udp',
      request_bytes: Number,
      do: Boolean,
      bufsize: Number,
      rcode: 'NOERROR',
      rflags: /^qr,aa/,
      response_bytes: Number,
      duration_seconds: Number,
    },
  )
  const broken = await finish(t, { Corefile: BROKEN }, ['-log-format', 'json', '-p', String(port)])
  t.equal(broken.status, 1)
  t.match(JSON.parse(broken.output), { level: 'FATAL', msg: FAULTS[0] })
})

t.test('-pidfile', async t => {
  const port = await freePort()
  const server = start(t, { Corefile: WHOAMI }, ['-pidfile', 'pid', '-p', String(port)])
  await server.printed(/^Seamark-/m)
  t.equal(readFileSync(join(server.folder, 'pid'), 'utf8').trim(), String(server.child.pid))
  t.equal(await server.stop(), 0)
})

t.test('-pidfile in a folder that is not there is told and keeps nobody from being served', async t => {
  const port = await freePort()
  const server = start(t, { Corefile: WHOAMI }, ['-pidfile', 'no/pid', '-p', String(port)])
  await server.printed(/\[ERROR\].*no\/pid.*ENOENT/)
  await server.printed(BANNER)
  t.equal(await server.stop(), 0)
})

t.test('commands that print and end', async t => {
  const cases: [flags: string, status: number, output: RegExp][] = [
    ['-version', 0, /^Seamark-\d+\.\d+\.\d+\n.*node/],
    ['--version', 0, /^Seamark-/],
    ['-plugins', 0, /dns\.kubernetes\n/],
    ['--plugins', 0, /dns\.forward\n/],
    ['-help', 0, /^usage: [\s\S]*^commands:\n +check /m],
    ['check -help', 0, /^usage: seamark check /],
    ['completion bash', 0, /^complete -F _seamark seamark$/m],
    ['-bogus', 1, /unknown flag -bogus[\s\S]*usage: [\s\S]*seamark -help says more/],
    ['-conf', 1, /-conf needs a value/],
    ['-p 70000', 1, /70000/],
    ['surplus', 1, /extra arguments: surplus/],
    ['-conf nowhere', 1, /nowhere.*no such file/],
  ]
  for (const [flags, status, output] of cases) {
    const found = await finish(t, { Corefile: WHOAMI }, flags.split(' '))
    t.equal(found.status, status, `status of ${flags}`)
    t.match(found.output, output, `output of ${flags}`)
    t.notMatch(found.output, /\n\s+at .*\.ts:/, 'no stack trace')
  }
})

t.test('a broken Corefile is told in full, before anything is served', async t => {
  const { status, output } = await finish(t, { Corefile: BROKEN }, ['-p', String(await freePort())])
  t.equal(status, 1)
  for (const fault of FAULTS) t.match(output, fault)
  t.notMatch(output, /^Seamark-/m)
})

t.test('seamark check', async t => {
  const sound = await finish(t, { Corefile: WHOAMI }, ['check'])
  t.strictSame([sound.status, sound.output], [0, 'Corefile: 1 server block, 0 errors, 0 warnings\n'])

  const broken = await finish(t, { Corefile: WHOAMI, broken: BROKEN }, ['check', 'broken'])
  t.equal(broken.status, 1)
  for (const fault of FAULTS) t.match(broken.output, new RegExp(fault.source.replace('Corefile', 'broken')))
  t.match(broken.output, /^broken: 1 server block, 4 errors/m)

  const absent = await finish(t, {}, ['check', 'absent'])
  t.equal(absent.status, 1)
  t.match(absent.output, /absent.*no such file/)
})

t.test('seamark check --json', async t => {
  const broken = await finish(t, { Corefile: BROKEN }, ['check', '--json'])
  t.equal(broken.status, 1)
  const { file, errors, problems } = JSON.parse(broken.output)
  t.strictSame([file, errors, problems.length], ['Corefile', 4, 4])
  t.match(
    problems.find((problem: { line: number }) => problem.line === 4),
    {
      severity: 'error',
      file: 'Corefile',
      column: 10,
      found: 'maybe',
      allowed: ['disabled', 'insecure', 'verified'],
    },
  )
  const sound = await finish(t, { Corefile: WHOAMI }, ['check', '--json', 'Corefile'])
  t.equal(sound.status, 0)
  t.strictSame(JSON.parse(sound.output), { file: 'Corefile', errors: 0, problems: [] })
})

t.test('a port that another program has is named, with the line that asks for it', async t => {
  await t.test('over TCP', async t => {
    const holder = createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    t.teardown(() => holder.close())
    const address = holder.address()
    await inUse(t, typeof address === 'object' && address !== null ? address.port : 0, 'TCP')
  })
  await t.test('over UDP', async t => {
    const holder = createSocket('udp4').bind(0, '127.0.0.1')
    await once(holder, 'listening')
    t.teardown(() => holder.close())
    await inUse(t, holder.address().port, 'UDP')
  })
})

async function inUse(test: Test, port: number, transport: string): Promise<void> {
  const corefile = `# first line\n.:${port} {\n  bind 127.0.0.1\n  whoami\n}\n`
  const { status, output } = await finish(test, { Corefile: corefile }, [])
  test.equal(status, 1)
  const holder = `127\\.0\\.0\\.1:${port} over ${transport}: process ${process.pid} has this port \\(.*node.*\\)`
  test.match(output, new RegExp(`${holder}, which .*Corefile:2:1 asks for`))
}

t.test('a second server on the same port is refused; with -overlap both answer until one ends', async t => {
  const port = await freePort()
  const flags = ['-p', String(port)]
  const first = start(t, { Corefile: WHOAMI }, flags)
  await first.printed(BANNER)
  const refused = await finish(t, { Corefile: WHOAMI }, flags)
  t.equal(refused.status, 1)
  t.match(refused.output, new RegExp(`process ${first.child.pid} has this port \\(.*-p ${port}\\).*-overlap`))
  t.notMatch(refused.output, BANNER)

  const second = start(t, { Corefile: WHOAMI }, [...flags, '-overlap'])
  await second.printed(BANNER)
  t.equal(await first.stop(), 0)
  t.equal((await query(port, { name: 'example.org' })).rcode, 'NOERROR', 'the second one has the port alone')
  t.equal(await second.stop(), 0)
})

t.test('signals while clients still come', async t => {
  const health = await freePort()
  const lame = `. {\n  bind 127.0.0.1\n  health 127.0.0.1:${health} {\n    lameduck 60s\n  }\n  whoami\n}\n`
  await t.test('SIGINT does not wait for the lameduck time', async t => {
    const port = await freePort()
    const server = start(t, { Corefile: lame }, ['-p', String(port)])
    await server.printed(BANNER)
    t.equal(await server.stop('SIGINT'), 0)
  })
  await t.test('after SIGTERM it answers through the lameduck time; a second one ends it', async t => {
    const port = await freePort()
    const server = start(t, { Corefile: lame }, ['-p', String(port)])
    await server.printed(BANNER)
    server.child.kill('SIGTERM')
    await server.printed('SIGTERM')
    t.equal((await query(port, { name: 'example.org' })).rcode, 'NOERROR')
    t.equal(await server.stop('SIGTERM'), 2, 'ends by itself, not by the signal')
  })
  await t.test('SIGHUP changes nothing', async t => {
    const port = await freePort()
    const server = start(t, { Corefile: WHOAMI }, ['-p', String(port)])
    await server.printed(BANNER)
    server.child.kill('SIGHUP')
    await server.printed('SIGHUP')
    t.equal((await query(port, { name: 'example.org' })).rcode, 'NOERROR')
    t.equal(await server.stop(), 0)
  })
})

t.test('what is wrong in a folder is told with its place; the rest is served', async t => {
  const port = await freePort()
  const corefile = '. {\n  bind 127.0.0.1\n  kubernetes cluster.local {\n    manifests cluster\n  }\n}\n'
  const folder = t.testdir({
    Corefile: corefile,
    cluster: {
      'broken.yaml': 'a: [\n',
      'sound.yaml':
        'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  clusterIP: 10.96.0.77\n  ports: [{port: 80}]\n',
    },
  })
  const server = spawnSeamark(['-p', String(port)], { cwd: folder })
  t.teardown(() => server.stop('SIGKILL'))
  await server.printed(/\[(ERROR|WARNING)\].*broken\.yaml:\d+:\d+: broken YAML/)
  await server.printed(BANNER)
  t.strictSame((await query(port, { name: 'web.default.svc.cluster.local' })).answer, [
    'web.default.svc.cluster.local. 5 IN A 10.96.0.77',
  ])
  t.equal(await server.stop(), 0)
})

t.test('a warning is told once for as long as it holds, however often the Corefile is looked at', async t => {
  const port = await freePort()
  const server = start(t, { Corefile: '. {\n  bind 127.0.0.1\n  hosts names\n  whoami\n}\n' }, [
    '-p',
    String(port),
  ])
  const warnings = (): number => server.output().split('Corefile:3:9: warning').length - 1
  const look = async (times: number): Promise<void> => {
    server.child.kill('SIGUSR1')
    await server.printed(new RegExp(`(Reloading complete[^]*){${times}}`))
  }
  await server.printed(BANNER)
  await look(1)
  await look(2)
  t.equal(warnings(), 1)
  writeFileSync(join(server.folder, 'names'), '10.0.0.1 a.example\n')
  await look(3)
  rmSync(join(server.folder, 'names'))
  await look(4)
  t.equal(warnings(), 2, 'again when it has been right')
  t.equal(await server.stop(), 0)
})

t.test('dig asks', { skip: absent('dig') }, async t => {
  const port = await freePort()
  const server = start(t, { Corefile: CLUSTER }, ['-p', String(port)])
  await server.printed(BANNER)
  const dig = async (...words: string[]): Promise<string> =>
    (await run('dig', ['@127.0.0.1', '-p', String(port), '+time=3', '+tries=1', ...words])).stdout
  const address = (await dig('+short', 'kubia-service.default.svc.cluster.local')).trim()
  t.match(address, /^10\.\d+\.\d+\.\d+$/)
  t.equal((await dig('+short', '+tcp', 'kubia-service.default.svc.cluster.local')).trim(), address)
  t.equal((await dig('+short', '-x', address)).trim(), 'kubia-service.default.svc.cluster.local.')
  const whole = await dig('KUBIA-service.default.svc.cluster.local', 'A')
  t.match(whole, /status: NOERROR/)
  t.match(whole, /flags: qr aa rd/)
  t.match(whole, /EDNS: version: 0/)
  t.notMatch(whole, /malformed|mismatch|extra bytes/i)
  t.match(await dig('nobody.default.svc.cluster.local'), /status: NXDOMAIN[\s\S]*AUTHORITY: 1/)
  t.match(await dig('kubia-service.default.svc.cluster.local', 'AAAA'), /status: NOERROR[\s\S]*ANSWER: 0/)
  t.equal(await server.stop(), 0)
})

t.test('nslookup asks', { skip: absent('nslookup') }, async t => {
  const port = await freePort()
  const server = start(t, { Corefile: CLUSTER }, ['-p', String(port)])
  await server.printed(BANNER)
  const asked = [`-port=${port}`, '-timeout=3', '-retry=0']
  const found = await run('nslookup', [...asked, 'kubia-service.default.svc.cluster.local', '127.0.0.1'])
  t.match(found.stdout, /Name:\s+kubia-service\.default\.svc\.cluster\.local\s+Address: 10\./)
  const none = await run('nslookup', [...asked, 'nobody.default.svc.cluster.local', '127.0.0.1']).catch(
    (error: { stdout: string }) => error,
  )
  t.match(none.stdout, /NXDOMAIN/)
  t.equal(await server.stop(), 0)
})
