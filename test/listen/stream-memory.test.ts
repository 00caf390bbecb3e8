// Whose connection is closed when connections keep more than they may.

import t from 'tap'
import { type Account, StreamMemory } from '../../src/listen/stream-memory.ts'
import { Counts } from './fake-responder.ts'

class World {
  readonly counts = new Counts()
  readonly memory: StreamMemory
  readonly closed: string[] = []

  constructor(maxOctets: number) {
    this.memory = new StreamMemory(maxOctets, this.counts.count)
  }

  /** A connection `CLIENT/WHICH` that keeps so much; `since`: its peer takes nothing. */
  open(name: string, octets: number, { since = -1, idle = false } = {}): Account {
    const [client = ''] = name.split('/')
    const abort = (): void => void this.closed.push(name)
    const account = this.memory.open(client, { stalledSinceMs: since, idle, abort })
    account.set(octets)
    return account
  }
}

t.test('the client that keeps most loses', async t => {
  const world = new World(100)
  world.open('noisy/1', 50)
  world.open('quiet/1', 20)
  world.open('noisy/2', 25)
  t.same(world.closed, [])
  world.open('new/1', 10)
  t.same([world.closed, world.memory.octets], [['noisy/1'], 55])
  t.equal(world.counts.of('stream-memory-closed'), 1)
})

t.test('of its connections the one that has taken nothing for longest, an idle one, the largest', async t => {
  const world = new World(100)
  world.open('a/large', 30)
  world.open('a/idle', 10, { idle: true })
  world.open('a/stalled', 10, { since: 5 })
  world.open('a/longer', 10, { since: 3 })
  world.open('a/small', 40)
  world.open('b/1', 15)
  t.same(world.closed, ['a/longer', 'a/stalled'])
  world.open('b/2', 15)
  t.same(world.closed.slice(2), ['a/idle'])
  world.open('b/3', 15)
  t.same(world.closed.slice(3), ['a/small'])
})

t.test('one that grows beyond the bound alone is closed itself', async t => {
  const world = new World(100)
  const one = world.open('a/1', 10)
  world.open('b/1', 10)
  one.set(1000)
  t.same([world.closed, world.memory.octets], [['a/1'], 10])
  one.set(2000)
  one.close()
  one.close()
  t.equal(world.memory.octets, 10, 'what it says afterwards does not count')
})

t.test('what has gone is not counted', async t => {
  const world = new World(100)
  const accounts = ['a/1', 'a/2', 'b/1'].map(name => world.open(name, 30))
  for (const account of accounts) account.close()
  t.equal(world.memory.octets, 0)
  for (const name of ['c/1', 'd/1', 'e/1']) world.open(name, 33)
  t.same(world.closed, [])
})
