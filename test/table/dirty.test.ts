// Names that wait to be published.

import t from 'tap'
import { type Attempt, Dirty } from '../../src/table/dirty.ts'

const plain: Attempt = (_name, change) => change()

t.test('each name is published once, in the order in which it was noted', async t => {
  const published: string[] = []
  const dirty = new Dirty(name => published.push(name) > 0)
  for (const name of ['b', 'a', 'b']) dirty.add(name)
  t.strictSame([...dirty.names], ['b', 'a'])
  t.equal(dirty.publish(plain), true)
  t.strictSame(published, ['b', 'a'])
  t.equal(dirty.publish(plain), false, 'nothing is left')
})

t.test('whether an answer changed', async t => {
  const dirty = new Dirty(name => name === 'b')
  dirty.add('a')
  t.equal(dirty.publish(plain), false)
  for (const name of ['a', 'b', 'c']) dirty.add(name)
  t.equal(dirty.publish(plain), true)
})

t.test('what does not fit is tried again with the next batch, not in this one', async t => {
  const tried: string[] = []
  let room = false
  const attempt: Attempt = (name, change) => {
    tried.push(name)
    return room || name !== 'large' ? change() : 'full'
  }
  const dirty = new Dirty(() => true)
  for (const name of ['large', 'small']) dirty.add(name)
  t.equal(dirty.publish(attempt), true)
  t.strictSame(tried, ['large', 'small'])
  room = true
  t.equal(dirty.publish(attempt), true)
  t.strictSame(tried, ['large', 'small', 'large'])
})
