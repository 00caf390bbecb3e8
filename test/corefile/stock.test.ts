// Corefiles that clusters run, read whole: kubeadm's, AKS with its coredns-custom folder, k3s, NodeLocal DNSCache.

import t from 'tap'
import { complaints, outline, read } from './read-corefile.ts'

const KUBEADM = `.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
`

t.test('kubeadm', async t => {
  const corefile = read(KUBEADM)
  t.same(complaints(corefile), [])
  t.same(outline(corefile), [
    'dns://.:53 | errors ; health { lameduck 5s } ; ready ; kubernetes cluster.local in-addr.arpa ip6.arpa ' +
      '{ pods insecure ; fallthrough in-addr.arpa ip6.arpa ; ttl 30 } ; prometheus :9153 ; ' +
      'forward . /etc/resolv.conf { max_concurrent 1000 } ; ' +
      'cache 30 { disable success cluster.local ; disable denial cluster.local } ; loop ; reload ; loadbalance',
  ])
})

t.test('AKS: overrides inside the block, servers beside it', async t => {
  const text = `.:53 {
    errors
    ready
    health {
      lameduck 5s
    }
    kubernetes cluster.local in-addr.arpa ip6.arpa {
      pods insecure
      fallthrough in-addr.arpa ip6.arpa
      ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
    import custom/*.override
    template ANY ANY internal.cloudapp.net {
      match "^(?:[^.]+\\.){4,}internal\\.cloudapp\\.net\\.$"
      rcode NXDOMAIN
      fallthrough
    }
    template ANY ANY reddog.microsoft.com {
      rcode NXDOMAIN
    }
}
import custom/*.server
`
  const custom = {
    'custom/log.override': 'log\n',
    'custom/hosts.override': 'hosts {\n  10.0.0.1 example.hosts.org # ours\n  fallthrough\n}\n',
    'custom/puglife.server':
      'puglife.local:53 {\n    errors\n    cache 30\n    forward . 192.11.0.1 192.11.0.2\n}\n',
  }
  const tail =
    'template ANY ANY internal.cloudapp.net { match ^(?:[^.]+\\.){4,}internal\\.cloudapp\\.net\\.$ ; ' +
    'rcode NXDOMAIN ; fallthrough } ; template ANY ANY reddog.microsoft.com { rcode NXDOMAIN }'
  const corefile = read(text, custom)
  t.same(complaints(corefile), [])
  t.ok(
    outline(corefile)[0]!.endsWith(
      `loadbalance ; hosts { 10.0.0.1 example.hosts.org ; fallthrough } ; log ; ${tail}`,
    ),
  )
  t.equal(
    outline(corefile)[1],
    'dns://puglife.local.:53 | errors ; cache 30 ; forward . 192.11.0.1 192.11.0.2',
  )
  t.same(corefile.files, [
    'Corefile',
    'custom/hosts.override',
    'custom/log.override',
    'custom/puglife.server',
  ])

  const bare = read(text)
  t.equal(bare.blocks.length, 1)
  t.same(complaints(bare), [
    'Corefile:18:12: warning: no file matches this pattern (found "custom/*.override")',
    'Corefile:28:8: warning: no file matches this pattern (found "custom/*.server")',
  ])

  const clash = read(text, { 'custom/again.server': '.:53 {\n  forward . 1.1.1.1\n}\n' })
  t.same(complaints(clash).slice(1), [
    'custom/again.server:1:1: error: zone . on port 53 is already served by Corefile:1:1; an imported file adds and cannot replace (found ".:53")',
  ])
})

t.test('k3s', async t => {
  const corefile = read(`.:53 {
    errors
    hosts /etc/coredns/NodeHosts {
      ttl 60
      reload 15s
      fallthrough
    }
    forward . /etc/resolv.conf
    import custom/*.override
}
import custom/*.server
`)
  t.equal(corefile.problems.filter(({ severity }) => severity === 'error').length, 0)
  t.same(outline(corefile), [
    'dns://.:53 | errors ; hosts /etc/coredns/NodeHosts { ttl 60 ; reload 15s ; fallthrough } ; ' +
      'forward . /etc/resolv.conf',
  ])
})

t.test('NodeLocal DNSCache', async t => {
  const block = (zone: string, cache: string, upstream: string, more = ''): string => `${zone}:53 {
    errors
    ${cache}
    reload
    loop
    bind 169.254.20.10 10.96.0.10
    forward . ${upstream}
    prometheus :9253
${more}    }
`
  const text =
    block(
      'cluster.local',
      'cache {\n            success 9984 30\n            denial 9984 5\n    }',
      '10.97.1.2 {\n            force_tcp\n    }',
      '    health 169.254.20.10:8080\n',
    ) +
    block('in-addr.arpa', 'cache 30', '10.97.1.2 {\n            force_tcp\n    }') +
    block('ip6.arpa', 'cache 30', '10.97.1.2 {\n            force_tcp\n    }') +
    block('.', 'cache 30', '/etc/resolv.conf')
  const corefile = read(text)
  t.same(complaints(corefile), [])
  t.same(outline(corefile), [
    'dns://cluster.local.:53 | errors ; cache { success 9984 30 ; denial 9984 5 } ; reload ; loop ; ' +
      'bind 169.254.20.10 10.96.0.10 ; forward . 10.97.1.2 { force_tcp } ; prometheus :9253 ; health 169.254.20.10:8080',
    ...['in-addr.arpa.', 'ip6.arpa.'].map(
      zone =>
        `dns://${zone}:53 | errors ; cache 30 ; reload ; loop ; bind 169.254.20.10 10.96.0.10 ; ` +
        'forward . 10.97.1.2 { force_tcp } ; prometheus :9253',
    ),
    'dns://.:53 | errors ; cache 30 ; reload ; loop ; bind 169.254.20.10 10.96.0.10 ; ' +
      'forward . /etc/resolv.conf ; prometheus :9253',
  ])
})
