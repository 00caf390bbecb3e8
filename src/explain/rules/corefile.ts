// Causes that somebody wrote into the Corefile: who may ask what, what a name is rewritten to, which block has it, and what else a
// plugin says.

import { EDE } from '../../wire/extended-error.ts'
import { bare, lastOf, notesOf, type Rule, sentence } from '../case.ts'
import { upstreamText } from './upstream.ts'

const acl: Rule = ({ transcript, client }) => {
  const note = lastOf(transcript, 'acl')
  if (!note || note.facts?.action === 'allow') return undefined
  return {
    cause: `acl ${note.text}.`,
    advice: `Let the client ask by a line in front of that one: allow net ${hostNetwork(client)}.`,
  }
}

const hostNetwork = (address: string): string => `${address}${address.includes(':') ? '/128' : '/32'}`

const policy: Rule = ({ transcript }) => {
  const note = lastOf(transcript, 'policy')
  if (note?.facts?.allowed !== false) return undefined
  const { namespace, object } = note.facts
  return {
    cause: `policy keeps it from this client: ${note.text.replace(/\.$/, '')}.`,
    advice:
      object === undefined
        ? 'If it should have it, write an allow line in front of the one that denies, or take the name out of what `names` blocks.'
        : `If it should have it, change that DNSPolicy: kubectl -n ${namespace} edit dnspolicies ${object}.`,
  }
}

const ratelimit: Rule = ({ transcript, client }) => {
  const note = lastOf(transcript, 'ratelimit')
  if (!note) return undefined
  return {
    cause: `ratelimit turns ${client} away: ${note.text}.`,
    advice: `See what asks so much there (seamark tap --client ${client}), or let it: exempt ${client}.`,
  }
}

const rewritten: Rule = ({ transcript, outcome }) => {
  const note = notesOf(transcript, 'rewrite').findLast(({ facts }) => facts?.name !== undefined)
  if (!note) return undefined
  const to = bare(String(note.facts?.name))
  if (to === bare(transcript.name)) return undefined
  const said = upstreamText(notesOf(transcript, 'forward')) || transcript.reason
  const failed = said || (outcome === 'no-name' ? 'that does not exist' : `the reply is ${transcript.rcode}`)
  return {
    cause: `A rewrite rule turns ${bare(transcript.name)} into ${to}, and ${failed} (${note.facts?.rule}).`,
    advice: 'Change that rule, or take the name out of what it matches.',
  }
}

const refusedCorefile: Rule = ({ transcript, found, world }) => {
  if (world.refused === '' || found) return undefined
  return {
    cause: `The Corefile is refused, and an older one is served, in which ${bare(transcript.name)} has no answer: ${world.refused.split('\n')[0]}.`,
    advice: 'Mend that line of the Corefile: `seamark check` says what else is wrong with it.',
  }
}

const noBlock: Rule = ({ transcript, client }) => {
  if (transcript.reasonCode !== EDE.NOT_AUTHORITATIVE || transcript.plugin !== '') return undefined
  if (transcript.reason.startsWith('no view'))
    return {
      cause: `No view of the Corefile takes a query for ${bare(transcript.name)} from ${client}.`,
      advice: 'Change the expressions of the views, or put a server block without one behind them.',
    }
  return {
    cause: `No server block of the Corefile has the name ${bare(transcript.name)}.`,
    advice:
      'Put a server block for it into the Corefile: `. { forward . /etc/resolv.conf }` takes all other names.',
  }
}

/** Addresses of one family that nobody is told of. */
const family: Rule = ({ transcript }) => {
  const word = /^the directive (ipv[46]) /.exec(transcript.reason)?.[1]
  if (word === undefined) return undefined
  return {
    cause: `${bare(transcript.name)} has no ${transcript.type} record for anybody: ${transcript.reason}.`,
    advice: `Ask for ${word === 'ipv6' ? 'A' : 'AAAA'}, or change the line ${word} of the Corefile.`,
  }
}

/** Before anything else is looked at: nobody was asked. */
export const CONFIGURED: readonly Rule[] = [
  acl,
  policy,
  ratelimit,
  rewritten,
  refusedCorefile,
  noBlock,
  family,
]

/** What to do about what plugins say of themselves, by the plugin ('' is any) and their words. */
const ADVICE: readonly (readonly [plugin: string, reason: RegExp, advice: string])[] = [
  [
    '',
    /no fallthrough/,
    'write `fallthrough` into that directive, so that other names go on to the next plugin',
  ],
  [
    '',
    /^no plugin of the server block/,
    'put one that answers such names into the block, such as forward . /etc/resolv.conf',
  ],
  ['', /transfers no zones/, 'write transfer with `to` and the address of the client into the server block'],
  ['transfer', /./, 'let the client have the zone by a line `to` of transfer'],
  ['', /loop/, 'forward leads back to this server: name addresses of other servers behind it'],
  [
    'k8s_records',
    /^no object/,
    'see whether one that should have it is refused (kubectl get dnsrecords -A -o wide, or the log of the server)',
  ],
  ['template', /./, 'change the rule of template that takes the name'],
  ['k8s_external', /./, 'give the Service externalIPs or an address of a load balancer'],
  ['hosts', /./, 'put the name among the hosts'],
  ['', /refers to other servers/, 'ask those servers: this one does not follow referrals for its clients'],
  ['file', /./, 'look at the spelling, or put the name into the file of the zone'],
  ['kubernetes', /./, 'names of this zone are SERVICE.NAMESPACE.svc and what is below: look at the spelling'],
]

export const reasoned: Rule = ({ transcript }) => {
  const { name, type, reason, plugin } = transcript
  if (reason === '') return undefined
  const found = ADVICE.find(([of, words]) => (of === '' || of === plugin) && words.test(reason))
  return {
    cause: `${bare(name)} has no ${type} record: ${reason}.`,
    advice: found === undefined ? 'Follow the steps above to the plugin that says so.' : sentence(found[2]),
  }
}
