// From a query's octets to a reply's: the scan, and what the cluster's zone answers from the table.

import { ClusterAnswers } from '../../../src/plugin/kubernetes/answers.ts'
import { Scan } from '../../../src/wire/scan.ts'
import { encodeQuestion, type Question } from '../../support/dns-client.ts'
import { headless, KUBERNETES, SlimCluster, slimService, slimSlice } from '../../support/slim-cluster.ts'
import type { MicroCase } from './case.ts'

const ADDRESSES = Array.from({ length: 10 }, (_, i) => `10.1.0.${i + 1}`)
const OUT_OCTETS = 4096
const REPLY_MAX_OCTETS = 1232
const EDNS: Question = { name: 'missing.demo.svc.cluster.local', edns: true }

function cluster(): SlimCluster {
  const services = [slimService('demo/web', '10.96.0.1'), headless('demo/db')]
  return new SlimCluster().list(['demo'], services, [slimSlice('demo/db-1', 'db', ADDRESSES)])
}

/** The answer to one question, scanned once. */
function answerCase(title: string, question: Question, budget?: MicroCase['budget']): MicroCase {
  const { reader } = cluster()
  const options = {
    shuffle: true,
    flattenedTtl: (ttl: number) => ttl,
    random: Math.random,
    reasons: true,
    ownAddresses: [],
  }
  const answers = new ClusterAnswers(KUBERNETES, 'cluster.local.', reader, options)
  const scan = new Scan()
  const packet = encodeQuestion(question, 4711)
  const out = new Uint8Array(OUT_OCTETS)
  if (scan.read(packet, 0, packet.length) !== 'ok') throw new TypeError(`${question.name} is no question`)
  const run = (): number => {
    reader.enter()
    const octets = answers.answer(scan, packet, out, 0, REPLY_MAX_OCTETS)
    reader.leave()
    return octets
  }
  if (run() <= 0) throw new TypeError(`${question.name} is not answered from the table`)
  return { title, run, ...(budget ? { budget } : {}) }
}

function scanCase(): MicroCase {
  const scan = new Scan()
  const packet = encodeQuestion({ name: 'web.demo.svc.cluster.local', edns: true }, 4711)
  return {
    title: 'scan of a query',
    budget: { file: 'wire/scan.ts', what: 'typical query' },
    run: () => scan.read(packet, 0, packet.length),
  }
}

const ANSWERS = 'plugin/kubernetes/answers.ts'

export const answerCases = (): MicroCase[] => [
  scanCase(),
  answerCase(
    'answer: A of a ClusterIP',
    { name: 'web.demo.svc.cluster.local' },
    { file: ANSWERS, what: 'an address record' },
  ),
  answerCase('answer: A of 10 endpoints, shuffled', { name: 'db.demo.svc.cluster.local' }),
  answerCase(
    'answer: SRV of 10 endpoints with glue',
    { name: '_http._tcp.db.demo.svc.cluster.local', type: 'SRV', edns: true },
    { file: ANSWERS, what: 'ten SRV with glue' },
  ),
  answerCase('answer: NXDOMAIN', { name: 'missing.demo.svc.cluster.local' }),
  answerCase('answer: NXDOMAIN with EDNS and the reason', EDNS),
]
