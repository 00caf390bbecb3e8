// Directives of plugins that others compile into CoreDNS (coredns.io/explugins, and those of distributions): what each does, and
// what to write instead. None is offered; a Corefile that names one is refused with these words.

/** `word does: instead`. */
const WORDS = `
ads answers for names of block lists: write hosts with the list, or forward to a server that filters
alias gives an apex the addresses of another name: write the addresses into the zone, or a template
alternate asks others after some response codes: write failover or next in forward
amazondns answers beside Amazon's resolver: forward the zone to that resolver
blocker answers for names of block lists: write hosts with the list, or forward to a server that filters
blocklist answers for names of block lists: write hosts with the list, or forward to a server that filters
demo is an example of a plugin: delete it
docker answers for names of containers: forward the zone to a server that knows them
dockerdiscovery answers for names of containers: forward the zone to a server that knows them
dump prints queries: write log
dynapi takes zones over HTTP: write file, which is read again when it changes
ebpf runs programs on packets: do so outside of the server
example is an example of a plugin: delete it
fallback asks others after some response codes: write failover or next in forward
fanout asks all upstreams at once: forward asks one after the other, and leaves out those that fail
filter answers for names of block lists: write hosts with the list, or forward to a server that filters
finalize answers without the aliases on the way: delete it, clients follow aliases
flatten gives a name the addresses of another one: write a template, or rewrite name
gathersrv puts the SRV records of several zones together: write rewrite name
git reads zones out of a repository: write file, and keep the folder up to date beside the server
gravwell sends queries to a store of logs: write log, and collect the lines
gslb chooses addresses by what is healthy: forward the zone to a server that does
idetcd keeps names in etcd: write hosts, template or file
ipecho answers with the address in the name: write a template with a match
ipin answers with the address in the name: write a template with a match
json prints queries as JSON: write log with a format of its own
k8s_cache is a cache with an early refresh for some Pods: write cache with prefetch
k8s_crd answers for custom resources: forward the zone to a server that watches them
k8s_dns_chaos changes answers for tests: delete it
k8s_event writes what is logged into Events: the log and the metrics have it
k8s_gateway answers for Ingresses, Gateways and load balancers: write k8s_external for Services, and forward the other zones to a server with k8s_gateway
kubeapi is a connection for other plugins: delete it, kubernetes has its own
kubeforward forwards to the endpoints of a Service: forward to its cluster IP
kubeloadbalancer answers for load balancers: write k8s_external
kubenodes answers for Nodes: write hosts with their names
kubernetai answers for several clusters: write a server block with kubernetes for each of their zones
lighthouse answers for clusters that Submariner connects: forward clusterset.local to the address of its own DNS server
mdns asks by multicast: forward the zone to a resolver that does, such as systemd-resolved
meship answers for Yggdrasil: forward the zone to a server that does
meshname answers for Yggdrasil: forward the zone to a server that does
multicluster answers for imported Services: write multicluster in kubernetes
mysql answers out of a database: write file, or forward the zone to a server that reads it
mysql_extend answers out of a database: write file, or forward the zone to a server that reads it
netbox answers out of NetBox: write hosts or file, or forward the zone to a server that reads it
ocp_dnsnameresolver writes what names resolve to into DNSNameResolver objects: firewall rules with names (EgressFirewall) need OpenShift's own CoreDNS, without them delete it
pdsql answers out of a database of PowerDNS: forward the zone to PowerDNS
pocketbase answers out of PocketBase: write file, or forward the zone to a server that reads it
rebind keeps private addresses out of foreign names: set that in the upstream resolver
records answers with records in the Corefile: write template or file
recursor asks the authoritative servers itself: forward to a resolver, such as Unbound
redis answers out of Redis: write file, or forward the zone to a server that reads it
redis_cache caches in Redis: write cache
redisc caches in Redis: write cache
responsefilter drops answers with some addresses: set that in the upstream resolver
rrl limits replies to one network: ratelimit limits what one client may ask
slog prints queries as JSON: write log with a format of its own
umbrella asks Cisco Umbrella with an identity: forward to its addresses
unbound asks the authoritative servers itself: forward to a resolver, such as Unbound
warnlist logs names of a list: write log, and look for them in the lines
wgsd answers for peers of WireGuard: forward the zone to a server that does
`

/** What each does and what to write instead, as the end of a sentence, by word. */
export const FOREIGN_WORDS: ReadonlyMap<string, string> = new Map(
  WORDS.trim()
    .split('\n')
    .map(line => {
      const blank = line.indexOf(' ')
      return [line.slice(0, blank), line.slice(blank + 1)]
    }),
)
