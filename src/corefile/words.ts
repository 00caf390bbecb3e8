// Every directive of CoreDNS 1.14.7 in the order of its chain (coredns core/dnsserver/zdirectives.go), which the order
// of a Corefile does not change, Seamark's own among them, and what to say about those that are not served. The
// others are in the registry of plugins.

/** What is known about one directive word. */
export interface DirectiveWord {
  readonly word: string
  /** Its place in the chain, from 0; a query meets lower ones first. */
  readonly order: number
  /** Will never be served: what to use instead, for the end of an error message. */
  readonly notOffered?: string
  /** Is accepted, does nothing: what there is instead, for the end of a warning. */
  readonly instead?: string
}

/** `word`, `word - why not offered` or `word + what there is instead`, in the order of the chain. */
const CHAIN = `
root
metadata
geoip - views by client_ip separate clients by network
cancel
proxyproto - let the load balancer keep the client's address
quic - serve tls:// or https://
grpc_server - serve tls:// or https://
https
https3 - serve https://
timeouts
multisocket
reload
nsid
bufsize
ede
bind
debug
trace
ready
health
admin
pprof + the --cpu-prof and --heap-prof flags of node
shed + every queue is bounded without it and its drops are counted
prometheus
status
errors
log
dnstap
local
policy
ipv6
ipv4
dns64
any
chaos
loadbalance
tsig - restrict transfers and updates by network with acl
edns_pass
rewrite
autopath
acl
cache
header
dnssec - sign at the zone's own servers and forward to them
tls
minimal
template
transfer
hosts
k8s_records
route53 - forward the zone to its own servers
azure - forward the zone to its own servers
clouddns - forward the zone to its own servers
k8s_external
kubernetes
file
auto - write one file directive for each zone
secondary - forward the zone to its primary
etcd - write hosts, template or file, or forward the zone to a server that reads etcd
loop
ratelimit
stubdomains
forward
grpc - forward to tls:// or https:// upstreams
erratic - stop or delay packets outside the server to test its clients
whoami
on - run the command before the server starts or after it has stopped
sign - sign outside the server and serve the result with file
view
nomad - forward the zone to a Consul or CoreDNS server beside Nomad
`

/** Every directive of CoreDNS 1.14.7 and Seamark's own, in the order of the chain. */
export const DIRECTIVE_WORDS: readonly DirectiveWord[] = CHAIN.trim()
  .split('\n')
  .map((line, order) => {
    const [, word = '', sign, text = ''] = /^(\w+)(?: ([-+]) (.*))?$/.exec(line)!
    if (sign === undefined) return { word, order }
    return sign === '-' ? { word, order, notOffered: text } : { word, order, instead: text }
  })

/** Directives that CoreDNS once had: what to write instead, for the end of an error message. */
export const REMOVED_WORDS: ReadonlyMap<string, string> = new Map([
  ['federation', 'delete it; the multicluster option of kubernetes serves imported services'],
  ['proxy', 'write forward FROM TO…'],
  ['upstream', 'delete it; targets outside the zone are resolved without it'],
  ['startup', 'delete it and run the command before the server starts'],
  ['shutdown', 'delete it and run the command after the server stops'],
  ['reverse', 'write template IN PTR with a match'],
])

const byWord: ReadonlyMap<string, DirectiveWord> = new Map(DIRECTIVE_WORDS.map(entry => [entry.word, entry]))

/** The facts of a word; undefined where CoreDNS 1.14.7 has no such directive. */
export const directiveWord = (word: string): DirectiveWord | undefined => byWord.get(word)

/** Whether CoreDNS has, or once had, a directive of this name. */
export const isDirectiveWord = (word: string): boolean => byWord.has(word) || REMOVED_WORDS.has(word)
