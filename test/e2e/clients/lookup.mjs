// Looks names up as Node does: by the C library (`libc`), or by c-ares (`cares`), one line for each `FAMILY NAME` of the arguments,
// addresses or what went wrong; by c-ares for `srv NAME` the targets, for `ptr ADDRESS` the names.

import { lookup, Resolver } from 'node:dns/promises'

const [way, ...asked] = process.argv.slice(2)
const resolver = new Resolver()

const byCares = {
  4: name => resolver.resolve4(name),
  6: name => resolver.resolve6(name),
  srv: async name => (await resolver.resolveSrv(name)).map(({ name, port }) => `${name}:${port}`),
  ptr: address => resolver.reverse(address),
}

const byLibc = async (name, family) =>
  (await lookup(name, { all: true, family: Number(family) })).map(({ address }) => address)

for (let i = 0; i + 1 < asked.length; i += 2) {
  const [kind, name] = [asked[i], asked[i + 1]]
  const words = await (way === 'libc' ? byLibc(name, kind) : byCares[kind](name)).catch(({ code }) => [
    code === 'EAI_AGAIN' || code === 'ESERVFAIL' || code === 'ETIMEOUT' ? 'again' : 'none',
  ])
  console.log([kind, name, ...words].join(' '))
}
