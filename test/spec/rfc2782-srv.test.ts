// SRV (RFC 2782): the target is written out, not compressed, and its address can be found.

import t from 'tap'
import { nameOctets, query } from '../support/dns-client.ts'
import { ADDRESS, NAME, SRV } from '../support/target-cluster.ts'
import { ask, startSpec } from './probes.ts'

const spec = await startSpec(t, 'rfc2782-srv')

spec.probes([
  {
    id: 'srv',
    title: 'a named port',
    send: ask({ name: SRV, type: 'SRV' }),
    expect: 'NOERROR aa answer:SRV',
    also: (t, { answer }, octets) => {
      t.match(answer[0], new RegExp(` IN SRV 0 \\d+ 80 ${NAME}\\.$`))
      const target = Buffer.from(nameOctets(NAME))
      const whole = Buffer.from(octets).indexOf(target, 12 + nameOctets(SRV).length + 4)
      t.not(whole, -1, 'the target is written out')
    },
  },
])
spec.test('srv', 'the target has an address', async t => {
  const { answer } = await query(spec.port, { name: SRV, type: 'SRV' })
  const target = answer[0]!.split(' ').at(-1)!
  t.match((await query(spec.port, { name: target })).answer, [new RegExp(` IN A ${ADDRESS}$`)])
})

spec.end()
