// Namespaces whose names capture other people's look-ups by the search path (CVE-2022-2835, CVE-2022-2837): with a Pod's
// `ndots:5`, `www.example.com` is first asked as `www.example.com.svc.cluster.local`, and that is service `www.example` in
// a namespace `com` as soon as there is one. A server cannot tell the two apart; it can say that there is such a namespace.

/** Top-level domains that Pods ask for every day. */
const COMMON_TLDS =
  'ai app arpa at au be biz br ca cc ch cloud cn co com de dev dk edu es eu fi fr gov id ie in info int io ir it jp kr me ' +
  'mil mx name net nl no nz online org pl pro pt ru se sh site so tech top tr tv tw ua uk us xyz za'

const TLDS: ReadonlySet<string> = new Set(COMMON_TLDS.split(' '))

/** What a namespace of that name captures, in words; undefined for nothing. `zone` is the cluster's. */
export function capturedBy(namespace: string, zone: string): string | undefined {
  if (namespace === 'svc' || namespace === 'pod') return `names that end in ${namespace}`
  if (zone.split('.').includes(namespace)) return `names that end in ${namespace}, a label of ${zone}`
  return TLDS.has(namespace) ? `names of the domain ${namespace}` : undefined
}
