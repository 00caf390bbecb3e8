import t from 'tap'
import { type Line, once, options, readLine } from '../../src/corefile/arguments.ts'
import type { Directive } from '../../src/corefile/corefile.ts'
import { formatProblem, Problems } from '../../src/corefile/problem.ts'
import { read } from './read-corefile.ts'

/** The directives of `. { TEXT }`, the first on line 2. */
function directives(text: string): readonly Directive[] {
  return read(`. {\n${text}\n}`).blocks[0]!.directives
}

/** What `take` made of the first directive, and the complaints without the file. */
function take<T>(text: string, take: (line: Line) => T): { value: T; complaints: string[] } {
  const problems = new Problems()
  let value: T | undefined
  readLine(directives(text)[0]!, problems, line => {
    value = take(line)
  })
  return { value: value as T, complaints: problems.list.map(problem => formatProblem(problem).slice(9)) }
}

t.test('what each taker takes', async t => {
  const cases: [text: string, take: (line: Line) => unknown, value: unknown][] = [
    ['a x', line => line.text('a word'), 'x'],
    ['a "x y"', line => line.token('a word')?.quoted, true],
    ['a x y', line => line.rest().map(({ text }) => text), ['x', 'y']],
    ['a', line => line.rest(), []],
    ['a x y', line => [line.text('a word'), line.some('words').map(({ text }) => text)], ['x', ['y']]],
    ['a', line => [line.has, line.peek], [false, undefined]],
    ['a x', line => [line.has, line.peek, line.text('a word')], [true, 'x', 'x']],
    ['a on', line => line.choice('on or off', ['on', 'off']), 'on'],
    ['a 0', line => line.integer('the number'), 0],
    ['a 3600', line => line.integer('the TTL', 0, 3600), 3600],
    ['a -5', line => line.integer('the number', -10, 0), -5],
    ['a 0.5', line => line.decimal('the number'), 0.5],
    ['a 5', line => line.decimal('the number', 0, 10), 5],
    ['a 5s', line => line.duration('the time'), 5000],
    ['a 1m30s', line => line.duration('the time'), 90_000],
    ['a 0', line => line.duration('the time'), 0],
    ['a 30', line => line.duration('the time', { bareSeconds: true }), 30_000],
    ['a 2s', line => line.duration('the time', { minMs: 2000, maxMs: 2000 }), 2000],
    ['a Example.org', line => line.zone('the zone'), 'example.org.'],
    ['a b C.', line => line.zones(), ['b.', 'c.']],
    ['a', line => line.zones(['x.']), ['x.']],
    ['a', line => line.zones(), []],
    ['a . 10.0.0.0/15', line => line.zones(), ['.', '0.10.in-addr.arpa.', '1.10.in-addr.arpa.']],
    ['a ::1', line => line.ip('the address'), '::1'],
    ['a :9153', line => line.listenAddress('the address'), { host: '', port: 9153 }],
    ['a 10.1.2.3/8', line => line.network('the network')?.prefixLength, 8],
    ['a 10.1.2.3', line => line.network('the network', true)?.prefixLength, 32],
    ['a ::1', line => line.network('the network', true)?.prefixLength, 128],
    ['a 10.0.0.0/8', line => line.network('the network', true)?.prefixLength, 8],
    ['a {\n b c\n}', line => line.lines().map(({ word }) => word.text), ['b']],
    ['a', line => [line.hasBlock, line.lines()], [false, []]],
  ]
  for (const [text, taker, value] of cases) t.same(take(text, taker), { value, complaints: [] }, text)
})

t.test('what each taker complains of, and where', async t => {
  const cases: [text: string, take: (line: Line) => unknown, complaint: string][] = [
    ['ttl', line => line.integer('the TTL'), '2:1: error: ttl needs the TTL'],
    ['a', line => line.some('zones'), '2:1: error: a needs zones'],
    ['a x y', line => line.text('a word'), '2:5: error: too many arguments for a (found "y")'],
    ['a x', () => undefined, '2:3: error: a takes no arguments (found "x")'],
    ['a {\n b\n}', () => undefined, '2:1: error: a takes no block'],
    ['a {\n}', () => undefined, '2:1: error: a takes no block'],
    [
      'pods verifed',
      line => line.choice('a mode', ['disabled', 'insecure', 'verified']),
      '2:6: error: this is not a mode (found "verifed"; allowed: disabled, insecure, verified; did you mean "verified"?)',
    ],
    [
      'a x',
      line => line.integer('the TTL', 0, 9),
      '2:3: error: the TTL must be an integer from 0 to 9 (found "x")',
    ],
    [
      'a 10',
      line => line.integer('the TTL', 0, 9),
      '2:3: error: the TTL must be an integer from 0 to 9 (found "10")',
    ],
    [
      'a 1.5',
      line => line.integer('the TTL'),
      '2:3: error: the TTL must be an integer, at least 0 (found "1.5")',
    ],
    [
      'a ""',
      line => line.integer('the TTL'),
      '2:3: error: the TTL must be an integer, at least 0 (found "")',
    ],
    [
      'a -1',
      line => line.decimal('the rate'),
      '2:3: error: the rate must be a number, at least 0 (found "-1")',
    ],
    [
      'a 1e3',
      line => line.decimal('the rate', 0, 9),
      '2:3: error: the rate must be a number from 0 to 9 (found "1e3")',
    ],
    ['a 5', line => line.duration('it'), '2:3: error: it must be a duration such as 5s or 1m30s (found "5")'],
    [
      'a x',
      line => line.duration('it', { bareSeconds: true }),
      '2:3: error: it must be a duration such as 5s or 1m30s, or seconds (found "x")',
    ],
    ['a 1s', line => line.duration('it', { minMs: 2000 }), '2:3: error: it must be at least 2s (found "1s")'],
    ['a -1s', line => line.duration('it'), '2:3: error: it must be at least 0ms (found "-1s")'],
    [
      'a 1h',
      line => line.duration('it', { maxMs: 1500 }),
      '2:3: error: it must be at most 1500ms (found "1h")',
    ],
    [
      'a b..c',
      line => line.zone('the zone'),
      '2:3: error: the zone: a zone name holds no empty label (found "b..c")',
    ],
    ['a b c..d', line => line.zones(), '2:5: error: a zone name holds no empty label (found "c..d")'],
    [
      'a tls://b:53',
      line => line.zones(),
      '2:3: warning: the scheme and the port of a zone mean nothing here (found "tls://b:53")',
    ],
    ['a 1.2.3', line => line.ip('the address'), '2:3: error: this is not an IP address (found "1.2.3")'],
    ['a 53', line => line.listenAddress('it'), '2:3: error: this is not HOST:PORT or :PORT (found "53")'],
    [
      'a 10.0.0.1',
      line => line.network('it'),
      '2:3: error: this is not a network such as 10.0.0.0/8 (found "10.0.0.1")',
    ],
    [
      'a b',
      line => line.network('it', true),
      '2:3: error: this is not a network such as 10.0.0.0/8 (found "b")',
    ],
    [
      'a x y z',
      line => line.integer('the TTL', 0, 9),
      '2:3: error: the TTL must be an integer from 0 to 9 (found "x")',
    ],
    ['a x', line => line.error(line.rest()[0]!, 'no x', { allowed: ['y'] }), '2:3: error: no x (allowed: y)'],
  ]
  for (const [text, taker, complaint] of cases) t.same(take(text, taker).complaints, [complaint], text)
})

t.test('a block reads as the list of its options', async t => {
  const read = (text: string): { config: unknown; complaints: string[] } => {
    const problems = new Problems()
    const config = {
      ttlSeconds: 5,
      zones: [] as readonly string[],
      endpoints: true,
      jitterMs: 0,
      tags: [] as string[],
    }
    readLine(directives(text)[0]!, problems, line => {
      config.zones = line.zones(['.'])
      line.options(
        {
          ttl: line => {
            line.once()
            config.ttlSeconds = line.integer('the TTL in seconds', 0, 3600) ?? config.ttlSeconds
          },
          tag: line => config.tags.push(line.text('a tag') ?? ''),
          noendpoints: () => {
            config.endpoints = false
          },
          reload: line =>
            line.options({
              jitter: line => {
                config.jitterMs = line.duration('the jitter') ?? config.jitterMs
              },
            }),
        },
        { upstream: 'delete it' },
      )
    })
    return { config, complaints: problems.list.map(problem => formatProblem(problem).slice(9)) }
  }
  t.same(read('k'), {
    config: { ttlSeconds: 5, zones: ['.'], endpoints: true, jitterMs: 0, tags: [] },
    complaints: [],
  })
  t.same(read('k a {\n ttl 30\n noendpoints\n tag x\n tag y\n reload {\n  jitter 2s\n }\n}'), {
    config: { ttlSeconds: 30, zones: ['a.'], endpoints: false, jitterMs: 2000, tags: ['x', 'y'] },
    complaints: [],
  })
  t.same(
    read(
      'k a..b {\n ttl 1\n tll 2\n ttl 9999\n noendpoints x\n tag {\n  z\n }\n upstream 1.1.1.1\n reload {\n  foo\n }\n toString\n}',
    ),
    {
      config: { ttlSeconds: 1, zones: [], endpoints: false, jitterMs: 0, tags: [''] },
      complaints: [
        '2:3: error: a zone name holds no empty label (found "a..b")',
        '4:2: error: unknown property of k (found "tll"; allowed: noendpoints, reload, tag, ttl; did you mean "ttl"?)',
        '5:2: error: ttl is given twice, first at Corefile:3:2 (found "ttl")',
        '5:6: error: the TTL in seconds must be an integer from 0 to 3600 (found "9999")',
        '6:14: error: noendpoints takes no arguments (found "x")',
        '7:2: error: tag needs a tag',
        '7:2: error: tag takes no block',
        '10:2: warning: upstream was removed from k: delete it (found "upstream")',
        '12:3: error: unknown property of reload (found "foo"; allowed: jitter)',
        '14:2: error: unknown property of k (found "toString"; allowed: noendpoints, reload, tag, ttl)',
      ],
    },
  )
})

t.test('options of a directive whose own line is read elsewhere', async t => {
  const problems = new Problems()
  const seen: string[] = []
  options(directives('a {\n b\n c\n}')[0]!, problems, { b: line => seen.push(line.word.text) })
  t.same(seen, ['b'])
  t.same(problems.list.map(formatProblem), [
    'Corefile:4:2: error: unknown property of a (found "c"; allowed: b)',
  ])
  options(directives('a')[0]!, problems, {})
  t.equal(problems.errors, 1)
})

t.test('a directive once in a server block', async t => {
  const problems = new Problems()
  const all = directives('cache 30\ncache 60\n cache')
  t.equal(once(all, problems), all[0])
  t.equal(once(all.slice(0, 1), problems), all[0])
  t.equal(once([], problems), undefined)
  t.same(problems.list.map(formatProblem), [
    'Corefile:3:1: error: cache is given twice, first at Corefile:2:1 (found "cache")',
    'Corefile:4:2: error: cache is given twice, first at Corefile:2:1 (found "cache")',
  ])
})
