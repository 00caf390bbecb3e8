// Host names among the upstreams, looked up before a configuration is served.

import t from 'tap'
import { formatProblem } from '../../src/corefile/problem.ts'
import { forwardWord } from '../../src/plugin/forward/forward.ts'
import { readConfiguration } from '../../src/setup/configuration.ts'
import { lookUpHosts } from '../../src/setup/hosts.ts'
import { configsOf } from '../../src/setup/setup.ts'

const TEXT = `. {
    forward a.test one.example tls://two.example%dns.test {
        resolver 10.0.0.1
    }
    forward . 10.0.0.2 one.example:5353
}
b.test {
    forward . two.example
}
`
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'one.example 10.0.0.1': ['192.0.2.1', '2001:db8::1'],
  'one.example': ['192.0.2.2'],
  'two.example 10.0.0.1': ['192.0.2.3'],
}

async function lookedUp(text: string) {
  const asked: string[] = []
  const configuration = await lookUpHosts(
    readConfiguration({ file: 'Corefile', text, port: 53 }),
    async (host, resolvers) => {
      const question = [host, ...resolvers].join(' ')
      asked.push(question)
      const addresses = NAMES[question]
      if (addresses === undefined) throw new Error(`getaddrinfo ENOTFOUND ${host}`)
      return addresses
    },
  )
  const addresses = configuration.setup.blocks.flatMap(block =>
    configsOf(block, forwardWord).flatMap(({ rules }) =>
      rules.map(({ to }) => to.map(one => (one.kind === 'host' ? one.addresses.join(' ') : one.kind))),
    ),
  )
  return {
    asked,
    addresses,
    errors: configuration.errors,
    problems: configuration.problems.map(formatProblem),
  }
}

t.test('each is known before it is asked, by the servers that know it', async t => {
  const { asked, addresses, errors, problems } = await lookedUp(TEXT)
  t.same(asked, ['one.example 10.0.0.1', 'two.example 10.0.0.1', 'one.example', 'two.example'])
  t.same(addresses, [['192.0.2.1 2001:db8::1', '192.0.2.3'], ['address', '192.0.2.2'], ['']])
  t.equal(errors, 1)
  t.same(problems, [
    'Corefile:8:15: error: this host cannot be resolved: getaddrinfo ENOTFOUND two.example (found "two.example")',
  ])
})

t.test('nothing is asked where no host is named', async t => {
  t.match(await lookedUp('. {\nforward . 10.0.0.1 tls://10.0.0.2%dns.test\n}'), {
    asked: [],
    errors: 0,
    problems: [],
  })
})
