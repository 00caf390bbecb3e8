// How `policy` is written.

import type { WordDoc } from '../../corefile/doc.ts'
import { EVERY } from '../../objects/selectors.ts'
import { POLICIES_MAX, POLICIES_MAX_OCTETS } from '../../table/policies.ts'
import { TOS_MAX } from '../forward/config.ts'
import { HOST } from '../kubernetes/client-namespace.ts'
import { SUFFIXES_MAX, UPSTREAM_RULES_MAX } from './config.ts'

export const policyDoc: WordDoc = {
  usage: 'policy',
  meaning:
    'which namespaces, and which names outside of the cluster, the Pods of a namespace may resolve (Seamark only)',
  default: 'everybody may resolve everything',
  options: [
    { usage: 'default allow|deny', meaning: 'what holds where no other line fits', default: 'allow' },
    { usage: 'shared SELECTOR…', meaning: 'namespaces that everybody may resolve' },
    {
      usage: 'allow from SELECTOR… to SELECTOR…',
      meaning:
        'clients of these namespaces may resolve names of those; the first line of allow and deny that fits counts',
    },
    { usage: 'deny from SELECTOR… to SELECTOR…', meaning: 'they may not' },
    {
      usage: 'names from SELECTOR… allow|block NAME…|file FILE…',
      meaning:
        'names outside of the cluster, with all below them, that clients may resolve, and then no others, or may not; the longest name counts, a block before an allow',
      range: `${SUFFIXES_MAX} names; a name a line in files, as in hosts files`,
    },
    {
      usage: 'upstreams from SELECTOR… to ADDRESS…',
      meaning:
        'what `forward` would ask its upstreams for clients of these namespaces, these addresses are asked; the first line that fits counts',
      range: `${UPSTREAM_RULES_MAX} lines, ${TOS_MAX} addresses each, as \`forward\` takes them`,
    },
    { usage: 'refuse', meaning: 'answers REFUSED', default: 'NXDOMAIN' },
    {
      usage: 'objects',
      meaning: 'the DNSPolicies of a namespace take away more of what its own Pods may resolve',
      default: 'off',
    },
  ],
  notes: [
    `A selector is the name of a namespace, with \`*\` for any characters; \`${EVERY}\` alone is everybody, \`${HOST}\` the address of a node, as Pods with its network have it, whatever their namespace. Or it selects by labels, as \`kubectl get namespaces -l\` does: \`team=a,tier!=test\`, \`team in (a, b)\`, \`!legacy\`; a key that could be a name is written \`label:team\`. Of several, one that fits is enough. Labels are followed without a reload. Pods of a namespace whose labels are not known, as \`namespace_labels\` may leave it out, are meant by no \`allow\` with labels and by every \`deny\` and \`block\` with them. What is denied by its name, or by default, looks the same whether it is there or not; by labels only what is there can be denied, so whoever asks can tell.`,
    'Its own namespace every Pod may resolve.',
    'Whose Pod asks is known by `pods verified` in kubernetes, by the addresses of a Pod. For an address of nobody, of Pods of several namespaces, and for all before the Pods are listed, only lines from everybody count, and the default.',
    'Every question is judged before anything answers it, and every reply whatever made it (the fast path, `cache`, `rewrite`, `autopath`, aliases, PTR, SRV): names, and addresses that only Services of others have. Clients with EDNS are told why (RFC 8914 codes 15 and 18). A zone is transferred only to whom nothing is kept from.',
    'Danger: this hides names, and is no firewall: a NetworkPolicy is. Behind NodeLocal DNSCache, a NAT, or another cache all clients are one. A server block without `policy` answers the same zones to everybody. Files are read with the Corefile.',
    `A DNSPolicy of seamark.dev (\`config/crds\`; [an example](nobody-else.md#the-objects)) has lists \`allow\` and \`block\` of names outside of the cluster and of namespaces, as the lines here have them, and \`allowSelectors\` and \`blockSelectors\` of namespaces by labels, as a NetworkPolicy has them; where it has \`allow\`, even an empty one, all else is kept. It counts for Pods of its own namespace, never for what has a node's address, and can only take away: what the Corefile keeps stays kept, and of several, ${POLICIES_MAX} at most, each takes away, and those of a namespace have ${POLICIES_MAX_OCTETS / 1024} KiB of lists together. Whoever may write them in a namespace can cut its Pods off from names, and find out by them what labels the namespaces have that these Pods may resolve, nothing more. One that is changed into what cannot be followed goes on as it was until the server starts anew; one that never could be followed narrows nothing, and its status and the log say why. kubernetes reads the objects, from an API server or a folder, with the right to list and watch them, and until their definition is installed the server is not ready.`,
    'Upstreams of a namespace take the place of whatever `forward` of the block has the name (of one that none has, none); hosts, StubDomains and all else in front of it are as for everybody. `cache` keeps what they say for the clients of that line alone, and where none of them answers it is SERVFAIL: nobody else is asked. A DNSPolicy has no upstreams: who may write one could lead names elsewhere with them, and it is to take away only. `seamark explain` names the line or the DNSPolicy that keeps a name, and whom a name is asked of.',
  ],
  example: `
    . {
        policy {
            default deny
            shared kube-system ingress
            allow from team-a-* to team-a-* shared-with=team-a
            names from * block ads.example.com
            names from batch allow registry.example.org
            upstreams from team=b to 10.0.0.53
            objects
        }
        kubernetes cluster.local {
            pods verified
        }
        forward . /etc/resolv.conf
    }`,
}
