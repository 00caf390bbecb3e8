// Names that wait to be published.

import t from 'tap'
import { finish, type Steps } from '../../src/shared/steps.ts'
import { type Attempt, Dirty } from '../../src/table/dirty.ts'

const plain: Attempt = (_name, change) => change

/** A change in one step. */
function* change(make: () => boolean): Steps<boolean> {
  yield
  return make()
}

const publish = (dirty: Dirty, attempt = plain): boolean => finish(dirty.publish(attempt))

t.test('each name is published once, in the order in which it was noted', async t => {
  const published: string[] = []
  const dirty = new Dirty(name => change(() => published.push(name) > 0))
  for (const name of ['b', 'a', 'b']) dirty.add(name)
  t.strictSame([...dirty.names], ['b', 'a'])
  t.equal(publish(dirty), true)
  t.strictSame(published, ['b', 'a'])
  t.equal(publish(dirty), false, 'nothing is left')
})

t.test('whether an answer changed', async t => {
  const dirty = new Dirty(name => change(() => name === 'b'))
  dirty.add('a')
  t.equal(publish(dirty), false)
  for (const name of ['a', 'b', 'c']) dirty.add(name)
  t.equal(publish(dirty), true)
})

t.test('what does not fit is tried again with the next batch, not in this one', async t => {
  const tried: string[] = []
  let room = false
  const attempt: Attempt = function* (name, change) {
    tried.push(name)
    return room || name !== 'large' ? yield* change : 'full'
  }
  const dirty = new Dirty(() => change(() => true))
  for (const name of ['large', 'small']) dirty.add(name)
  t.equal(publish(dirty, attempt), true)
  t.strictSame(tried, ['large', 'small'])
  room = true
  t.equal(publish(dirty, attempt), true)
  t.strictSame(tried, ['large', 'small', 'large'])
})

t.test('what is noted meanwhile is of the next batch', async t => {
  const published: string[] = []
  const dirty = new Dirty(name => change(() => published.push(name) > 0))
  for (const name of ['a', 'b']) dirty.add(name)
  const batch = dirty.publish(plain)
  batch.next()
  for (const name of ['a', 'c']) dirty.add(name)
  finish(batch)
  t.strictSame(published, ['a', 'b'])
  publish(dirty)
  t.strictSame(published, ['a', 'b', 'a', 'c'])
})
