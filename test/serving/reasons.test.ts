// Every kind of empty answer tells a client with EDNS why it is empty (RFC 8914), whoever wrote it.

import { join } from 'node:path'
import t from 'tap'
import { decodeMessage } from '../support/dns-message.ts'
import { encodeQuestion } from '../support/dns-question.ts'
import { extendedError } from '../support/extended-error.ts'
import { ServerBlock } from '../support/server-block.ts'
import { named, replyTo, type Script, soa, UpstreamStub } from '../support/upstream-stub.ts'

/** What the upstream says of a name, by its first label. */
const script: Script = (asked, back) => {
  const label = asked.what.split('.')[0]
  const parts: Record<string, Parameters<typeof replyTo>[1]> = {
    nxdomain: { rcode: 3, authority: [soa('test', 30)] },
    bare: { rcode: 3 },
    nodata: { authority: [soa('test', 30)] },
    nothing: {},
    servfail: { rcode: 2 },
    refused: { rcode: 5 },
    notimp: { rcode: 4, opt: new Uint8Array(0) },
    referral: { authority: [named('referral.test', 'NS', 30, 'ns.test')] },
    reason: { rcode: 2, opt: Uint8Array.of(0, 15, 0, 7, 0, 22, ...Buffer.from('alone')) },
  }
  back.send(replyTo(asked, parts[label ?? ''] ?? { rcode: 3 }))
}
const upstream = await UpstreamStub.start(script)
t.teardown(() => upstream.pause())
const dead = await UpstreamStub.start(script)
await dead.pause()

const UP = upstream.to.replaceAll('.', '\\.')
const folder = t.testdir({
  'db.file':
    '$ORIGIN file.test.\n@ 60 SOA a. b. 1 2 3 4 5\n@ NS ns\nwww A 192.0.2.1\nsub NS ns.sub\ngone CNAME bare.test.\n',
})

interface Kind {
  readonly lines: string
  /** `NAME TYPE`, and the code and the reason. */
  readonly asked: Readonly<Record<string, string>>
  /** What stands last in the block. */
  readonly last?: string
}

const KINDS: Readonly<Record<string, Kind>> = {
  'an upstream': {
    lines: `forward . ${upstream.to}`,
    asked: {
      'nxdomain.test A': `NXDOMAIN 0 ${UP} says NXDOMAIN`,
      'bare.test A': `NXDOMAIN 0 ${UP} says NXDOMAIN`,
      'nodata.test A': `NOERROR 0 ${UP} has no record of this type`,
      'nothing.test A': `NOERROR 0 ${UP} has no record of this type`,
      'servfail.test A': `SERVFAIL 0 ${UP} says SERVFAIL`,
      'refused.test A': `REFUSED 0 ${UP} says REFUSED`,
      'notimp.test A': `NOTIMP 0 ${UP} says NOTIMP`,
      'referral.test A': `NOERROR 0 ${UP} refers to other servers`,
      'reason.test A': 'SERVFAIL 22 alone',
      'test AXFR': 'REFUSED 21 zone transfers are not forwarded',
    },
  },
  'an upstream, out of the cache': {
    lines: `cache 30\nforward . ${upstream.to}`,
    asked: {
      'nxdomain.test A': `NXDOMAIN 0 ${UP} says NXDOMAIN`,
      'nodata.test A': `NOERROR 0 ${UP} has no record of this type`,
      'servfail.test A': `SERVFAIL (0|13) ${UP} says SERVFAIL`,
    },
  },
  'no upstream': {
    lines: `forward . ${dead.to}`,
    asked: { 'www.test A': `SERVFAIL 23 all upstreams failed: ${dead.to} connection refused` },
  },
  'the cluster': {
    lines: 'kubernetes cluster.local in-addr.arpa',
    asked: {
      'nope.demo.svc.cluster.local A': 'NXDOMAIN 0 no service nope in namespace demo',
      'web.demo.svc.cluster.local AAAA': 'NOERROR 0 service web in namespace demo has no IPv6 address',
      '9.9.9.9.in-addr.arpa PTR': 'NXDOMAIN 0 no service and no ready endpoint has this address',
      'cluster.local AXFR': 'REFUSED 21 this server block transfers no zones',
    },
  },
  'names that fall through': {
    lines: `kubernetes cluster.local in-addr.arpa {\nfallthrough\n}\nforward . ${upstream.to}`,
    asked: {
      '9.9.9.9.in-addr.arpa PTR': `NXDOMAIN 0 no service and no ready endpoint has this address; ${UP} says NXDOMAIN`,
      'nope.demo.svc.cluster.local A': `NXDOMAIN 0 no such name in the cluster; ${UP} says NXDOMAIN`,
    },
  },
  'an alias': {
    lines: `template IN A t.test {\nanswer "{{ .Name }} 5 IN CNAME servfail.test."\n}\nforward . ${upstream.to}`,
    asked: { 'a.t.test A': `SERVFAIL 0 the alias leads to servfail\\.test\\.: ${UP} says SERVFAIL` },
  },
  'a template': {
    lines: `
      template IN A none.test {
        match ^x
        answer "{{ .Name }} 5 IN A 192.0.2.1"
      }
      template IN A nodata.test {
        rcode NOERROR
      }
      template IN A denied.test {
        rcode NXDOMAIN
      }
      template IN A broken.test {
        answer "{{ .Name }} 5 IN A nonsense{{ .Group.x }}"
      }
      template IN A failed.test {
        rcode SERVFAIL
      }`,
    asked: {
      'a.none.test A': 'SERVFAIL 0 .*template.*',
      'a.nodata.test A': 'NOERROR 0 template has no record of this type',
      'a.denied.test A': 'NXDOMAIN 0 template says NXDOMAIN',
      'a.broken.test A': 'SERVFAIL 0 .*template.*',
      'a.failed.test A': 'SERVFAIL 0 .*template.*',
    },
  },
  hosts: {
    lines: 'hosts {\n192.0.2.1 h.test\n}',
    asked: {
      'h.test AAAA': 'NOERROR 0 hosts has no record of this type',
      'x.test A': 'SERVFAIL 0 .*hosts.*',
    },
  },
  'a zone file': {
    lines: `file ${join(folder, 'db.file')} file.test\nforward . ${upstream.to}`,
    asked: {
      'nope.file.test A': 'NXDOMAIN 0 file says NXDOMAIN',
      'www.file.test AAAA': 'NOERROR 0 file has no record of this type',
      'x.sub.file.test A': 'NOERROR 0 file refers to other servers',
      'gone.file.test A': `NXDOMAIN 0 the alias leads to bare\\.test\\.: ${UP} says NXDOMAIN`,
      'file.test AXFR': 'REFUSED (0|21) .+',
    },
  },
  'acl and other gates': {
    lines: 'acl {\nblock type TXT\nfilter type MX\n}',
    asked: { 'www.test TXT': 'REFUSED 15', 'www.test MX': 'NOERROR 17' },
  },
  'no plugin': {
    lines: 'log',
    last: '',
    asked: { 'www.test A': '(SERVFAIL|REFUSED) 0 no plugin of the server block answers this name' },
  },
  'local names': {
    lines: 'local',
    asked: { 'localhost AAAA': 'NOERROR', '1.2.0.127.in-addr.arpa A': '(NOERROR|NXDOMAIN) 0 .+' },
  },
}

for (const [kind, { lines, asked, last }] of Object.entries(KINDS)) {
  t.test(kind, async t => {
    const block = new ServerBlock(lines, undefined, last)
    t.teardown(() => block.stop())
    t.strictSame(
      block.problems.list.filter(({ severity }) => severity === 'error'),
      [],
    )
    for (const [question, wanted] of Object.entries(asked)) {
      const [name = '', type = 'A'] = question.split(' ')
      for (const how of ['first', 'again']) {
        const octets = await block.late(encodeQuestion({ name, type, edns: true }, 7))
        const reply = octets && decodeMessage(octets)
        const told = `${reply?.rcode} ${extendedError(reply?.edns)}`
        t.match(told, new RegExp(`^${wanted}`), `${question}, ${how}`)
        if (reply?.answer.length === 0) t.not(extendedError(reply.edns), '', `${question} has a reason`)
      }
    }
  })
}

t.test('what is no query has a reason where it can be read so far', async t => {
  const block = new ServerBlock('')
  const told = async (change: (octets: Uint8Array) => void): Promise<string> => {
    const octets = encodeQuestion({ name: 'www.test', type: 'A', edns: true }, 7)
    change(octets)
    const reply = decodeMessage((await block.late(octets))!)
    return `${reply.rcode} ${extendedError(reply.edns)}`
  }
  t.equal(await told(octets => octets.fill(2 << 3, 2, 3)), 'NOTIMP 21 only queries are served (opcode 0)')
  t.equal(
    await told(octets => octets.fill(1, octets.length - 5, octets.length - 4)),
    'BADVERS 21 EDNS is spoken in version 0',
  )
})
