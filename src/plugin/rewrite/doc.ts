// How `rewrite` is written, with the bounds of config.ts (CoreDNS plugin/rewrite).

import type { WordDoc } from '../../corefile/doc.ts'
import { REGEX_MAX_CHARACTERS } from '../../corefile/regex.ts'
import { OPTION_MAX_OCTETS, RULES_MAX } from './config.ts'

export const rewriteDoc: WordDoc = {
  usage: 'rewrite [continue|stop] FIELD …',
  meaning:
    'changes questions before the plugins behind it see them, and the replies on their way back; a rule may stand in a block instead',
  default: 'stop: no rule behind one that was applied is tried',
  range: `${RULES_MAX} rules in a block; a regex of RE2 in ${REGEX_MAX_CHARACTERS} characters, its groups are {1}, {2}…`,
  options: [
    {
      usage:
        'name [exact|prefix|suffix|substring|regex] FROM TO [answer auto | answer name FROM TO | answer value FROM TO]…',
      meaning:
        'asks TO in place of FROM; answer turns names of the reply back: auto by what was changed, name and value (what CNAME, DNAME, MX, NAPTR, NS, PTR, SOA and SRV name) by a regex',
      default: 'exact, which turns replies back by itself',
    },
    { usage: 'type FROM TO', meaning: 'asks another type' },
    { usage: 'class FROM TO', meaning: 'asks another class' },
    {
      usage: 'ttl [exact|prefix|suffix|substring|regex] FROM SECONDS|MIN-MAX|MIN-|-MAX',
      meaning: 'the TTL of all records of the reply',
      default: 'exact',
    },
    {
      usage: 'rcode [exact|prefix|suffix|substring|regex] FROM OLD NEW',
      meaning: "NEW in place of the reply's code OLD, by name or number",
      default: 'exact',
    },
    {
      usage: 'cname [exact|prefix|suffix|substring|regex] FROM TO',
      meaning: 'another target for a CNAME of the reply; what follows it is looked up anew',
      default: 'exact',
    },
    {
      usage: 'edns0 local|nsid|subnet set|append|replace|unset [CODE] [DATA | V4BITS V6BITS] [revert]',
      meaning:
        'an EDNS option for the upstream; DATA is text, 0xHEX or {qname}, {qtype}, {client_ip}, {client_port}, {protocol}, {server_ip}, {server_port}, {PLUGIN/LABEL}; revert keeps it out of the reply',
      range: `${OPTION_MAX_OCTETS} octets`,
    },
  ],
  notes: [
    'Names are compared in lower case and octet by octet: an octet that is no printable ASCII, and a dot inside a label, is one character that only `.` or its own escape matches. A rule that makes no legal name, of the question or in the reply, gives SERVFAIL.',
    "The reply always has the client's own question, and an OPT record only where the client sent one. After `cname` the code and the authority section are those of the new target.",
    'Zones of `kubernetes` that no rule can touch keep their fast path: name, ttl and rcode rules with `exact`, `suffix`, or a regex that ends in plain text and `$`, where no name of the zone can match.',
  ],
  example: `
    . {
        rewrite name suffix .shop.example.org .shop.svc.cluster.local answer auto
        rewrite ttl suffix .shop.svc.cluster.local 5-30
        kubernetes cluster.local
        forward . /etc/resolv.conf
    }`,
}
