// Servers that others wrote: dnsmasq and Knot, where they are installed (Debian: dnsmasq-base, knot). Where one is not, its
// test is skipped and says so.

import { userInfo } from 'node:os'
import t from 'tap'
import { freePort } from '../../support/free-port.ts'
import { writeKnotConf } from '../../support/knot.ts'
import { programPath, startServer } from '../../support/system-program.ts'
import { lineOf, startBench } from './forward-bench.ts'

const tcpClient = { transport: 'tcp', replyMaxOctets: 65535 } as const
const manyTexts = Array.from({ length: 12 }, (_, i) => `${String.fromCharCode(97 + i)}`.repeat(200))

const dnsmasq = programPath('dnsmasq')
t.test('dnsmasq', { skip: dnsmasq ? false : 'dnsmasq is not installed' }, async t => {
  const port = await freePort()
  await startServer(
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
    'www.real.test',
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
  const conf = writeKnotConf(directory, port, {
    rest: [
      'zone:',
      '  - domain: real.test',
      `    file: ${directory}/real.test.zone`,
      '    zonefile-sync: -1',
      '    journal-content: none',
    ],
  })
  await startServer(t, knotd!, ['-c', conf], port, 'www.real.test')
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
    t.match(
      lineOf(await bench.ask('x.sub.real.test A', rest)),
      /^NOERROR \| {2}\| sub\.real\.test\. 60 NS \w+ \| ns\.sub\.real\.test\. 60 A c0000236$/,
      'a referral is passed on',
    )
  }
  const followed = await bench.ask('long.real.test TXT')
  t.strictSame([followed.answer.length, followed.truncated], [manyTexts.length, false])
  t.match(await bench.ask('www.example.org A'), { rcode: 5 })
})
