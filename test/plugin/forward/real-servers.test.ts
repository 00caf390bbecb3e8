// Servers that others wrote: dnsmasq and Knot, where they are installed (Debian: dnsmasq-base, knot). Where one is not, its
// test is skipped and says so.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { NoAnswer, query } from '../../support/dns-client.ts'
import { freePort } from '../../support/seamark.ts'
import { lineOf, startBench } from './support.ts'

/** Where a program is, on the path or where system servers are. */
function programPath(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map(folder => join(folder, program)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) return false
    throw error
  }
}

/** Starts the program and waits until it answers; it ends with the test. */
async function start(t: Test, path: string, args: readonly string[], port: number): Promise<void> {
  const child: ChildProcess = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const output: Buffer[] = []
  child.stdout?.on('data', octets => output.push(octets))
  child.stderr?.on('data', octets => output.push(octets))
  let ended = false
  child.on('exit', () => {
    ended = true
  })
  t.teardown(async () => {
    if (ended) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  })
  for (let tries = 0; tries < 50; tries++) {
    if (ended) break
    try {
      await query(port, { name: 'www.real.test', timeoutMs: 200 })
      return
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error
      await pause(50)
    }
  }
  throw new Error(`${path} does not answer: ${Buffer.concat(output).toString()}`)
}

const tcpClient = { transport: 'tcp', replyMaxOctets: 65535 } as const
const manyTexts = Array.from({ length: 12 }, (_, i) => `${String.fromCharCode(97 + i)}`.repeat(200))

const dnsmasq = programPath('dnsmasq')
t.test('dnsmasq', { skip: dnsmasq ? false : 'dnsmasq is not installed' }, async t => {
  const port = await freePort()
  await start(
    t,
    dnsmasq!,
    [
      '--keep-in-foreground',
      '--no-resolv',
      '--no-hosts',
      '--conf-file=/dev/null',
      '--log-facility=-',
      `--user=${userInfo().username}`,
      '--pid-file=',
      `--port=${port}`,
      '--listen-address=127.0.0.1',
      '--bind-interfaces',
      '--host-record=www.real.test,192.0.2.1,2001:db8::1',
      '--cname=alias.real.test,www.real.test',
      '--srv-host=_dns._udp.real.test,www.real.test,53',
      '--local=/real.test/',
      '--local-ttl=33',
      ...manyTexts.map(text => `--txt-record=long.real.test,${text}`),
    ],
    port,
  )
  const bench = startBench(t, `forward . 127.0.0.1:${port}`)
  for (const rest of [{}, tcpClient]) {
    t.equal(await bench.line('WWW.real.test A', rest), 'NOERROR aa ra | WWW.real.test. 33 A c0000201')
    t.equal(
      await bench.line('www.real.test AAAA', rest),
      'NOERROR aa ra | www.real.test. 33 AAAA 20010db80000000000000000',
    )
    t.match(
      await bench.line('alias.real.test A', rest),
      'NOERROR aa ra | alias.real.test. 33 CNAME 03777777047265616c047465, www.real.test. 33 A c0000201',
    )
    t.match(await bench.line('none.real.test A', rest), /^NXDOMAIN/)
    t.match(await bench.line('_dns._udp.real.test SRV', rest), /SRV 000000000035/)
  }
  const whole = await bench.ask('long.real.test TXT', tcpClient)
  t.equal(whole.answer.length, manyTexts.length)
  const followed = await bench.ask('long.real.test TXT')
  t.strictSame([followed.answer.length, followed.truncated], [manyTexts.length, false])
  t.ok((await bench.ask('long.real.test TXT', { replyMaxOctets: 512 })).truncated)
  t.equal((await bench.ask('www.example.org A')).rcode, 5)
})

const knotd = programPath('knotd')
t.test('Knot', { skip: knotd ? false : 'Knot is not installed' }, async t => {
  const port = await freePort()
  const directory = t.testdir({
    'real.test.zone': [
      '$ORIGIN real.test.',
      '@ 60 SOA ns hostmaster 1 2 3 4 15',
      '@ 60 NS ns',
      'ns 60 A 192.0.2.53',
      'www 33 A 192.0.2.1',
      'alias 44 CNAME www',
      'far 44 CNAME www.elsewhere.test.',
      'd 44 DNAME real.test.',
      'odd 7 TYPE65280 \\# 4 c00cff00',
      'svc 9 SVCB 1 . alpn=h2',
      'sub 60 NS ns.sub',
      'ns.sub 60 A 192.0.2.54',
      ...manyTexts.map(text => `long 60 TXT ${text}`),
      '',
    ].join('\n'),
  })
  const conf = [
    'server:',
    `  listen: 127.0.0.1@${port}`,
    `  rundir: ${directory}`,
    'database:',
    `  storage: ${directory}`,
    'log:',
    '  - target: stderr',
    '    any: error',
    'zone:',
    '  - domain: real.test',
    `    file: ${directory}/real.test.zone`,
    '    zonefile-sync: -1',
    '    journal-content: none',
    '',
  ].join('\n')
  writeFileSync(`${directory}/knot.conf`, conf)
  await start(t, knotd!, ['-c', `${directory}/knot.conf`], port)
  const bench = startBench(t, `forward . 127.0.0.1:${port}`)
  for (const rest of [{}, tcpClient]) {
    t.equal(await bench.line('WWW.real.test A', rest), 'NOERROR aa | WWW.real.test. 33 A c0000201')
    t.match(
      await bench.line('alias.real.test A', rest),
      /^NOERROR aa \| alias\.real\.test\. 44 CNAME .*, www\.real\.test\. 33 A c0000201$/,
    )
    t.match(await bench.line('far.real.test A', rest), /^NOERROR aa \| far\.real\.test\. 44 CNAME \w+$/)
    t.match(
      await bench.line('www.d.real.test A', rest),
      /^NOERROR aa \| d\.real\.test\. 44 DNAME \w+, www\.d\.real\.test\. 44 CNAME \w+, www\.real\.test\. 33 A c0000201$/,
    )
    t.equal(
      await bench.line('odd.real.test TYPE65280', rest),
      'NOERROR aa | odd.real.test. 7 TYPE65280 c00cff00',
    )
    t.equal(
      await bench.line('svc.real.test SVCB', rest),
      'NOERROR aa | svc.real.test. 9 SVCB 00010000010003026832',
    )
    t.match(await bench.line('none.real.test A', rest), /^NXDOMAIN aa \| {2}\| real\.test\. (?:15|60) SOA/)
    t.match(await bench.line('www.real.test AAAA', rest), /^NOERROR aa \| {2}\| real\.test\. (?:15|60) SOA/)
    t.equal(lineOf(await bench.ask('x.sub.real.test A', rest)), 'NOERROR', 'a referral answers nothing')
  }
  const followed = await bench.ask('long.real.test TXT')
  t.strictSame([followed.answer.length, followed.truncated], [manyTexts.length, false])
  t.match(await bench.ask('www.example.org A'), { rcode: 5 })
})
