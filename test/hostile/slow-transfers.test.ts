// A hundred peers that ask for a zone and take nothing of it: so many transfers are under way as there are places, each costs one
// message and what the kernel keeps for it, others are answered meanwhile, and who takes what it asks for gets all of it.

import t from 'tap'
import { TRANSFERS_MAX } from '../../src/plugin/transfer/outgoing.ts'
import { encodeQuestion, query, TcpClient, transfer } from '../support/dns-client.ts'
import { until } from '../support/until.ts'
import { POD_MIB, peakMiB, serve, unharmed } from './one-block.ts'

const PEERS = 100
const RECORDS = 30_000
const ZONE = [
  '$ORIGIN big.test.',
  '@ 30 IN SOA ns hostmaster 1 7200 1800 86400 30',
  '@ 30 IN NS ns',
  ...Array.from({ length: RECORDS }, (_, i) => `n${i} 30 IN A 10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`),
  '',
].join('\n')
const skip = process.platform === 'linux' ? false : 'needs /proc'

t.test(`${PEERS} peers`, { skip }, async t => {
  const served = await serve(t, 'file zone big.test\ntransfer big.test {\nto *\n}', {
    files: { zone: ZONE },
    pod: true,
  })
  await until('the zone is served', async () => {
    const { rcode } = await query(served.port, { name: 'n1.big.test' })
    return rcode === 'NOERROR'
  })
  const axfr = encodeQuestion({ name: 'big.test', type: 'AXFR' }, 1)
  for (let i = 0; i < PEERS; i++) {
    const peer = await TcpClient.connect(served.port, { localAddress: `127.0.0.${2 + (i % 50)}` })
    t.teardown(() => peer.destroy())
    peer.socket.pause()
    peer.send(axfr)
    if (i % 10 === 0)
      t.equal((await query(served.port, { name: `n${i}.big.test`, tcp: true })).rcode, 'NOERROR')
  }
  await until('all are under way', async () => {
    const begun = await served.counted('coredns_dns_requests_total', { type: 'AXFR' })
    return begun >= PEERS
  })
  for (let i = 0; i < 20; i++)
    t.equal((await query(served.port, { name: `n${i}.big.test` })).rcode, 'NOERROR')
  const refused = await served.counted('seamark_transfers_total', { result: 'refused' })
  t.ok(refused >= PEERS - TRANSFERS_MAX, `${refused} are refused`)
  // Who takes nothing is cut off after 5 s.
  let got: readonly string[] = []
  await until('who reads gets the zone', async () => {
    got = (await transfer(served.port, { name: 'big.test' })).answer
    return got.length > 0
  })
  t.equal(got.length, RECORDS + 3)
  t.ok(peakMiB(served) < POD_MIB, `${peakMiB(served).toFixed(0)} MiB at most`)
  await unharmed(t, served)
})
