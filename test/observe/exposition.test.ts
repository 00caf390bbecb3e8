import t from 'tap'
import { type ExpositionForm, exposition, formatNumber } from '../../src/observe/exposition.ts'
import { familyNamed } from '../../src/observe/families.ts'
import type { Sample } from '../../src/observe/registry.ts'
import { expositionForm } from '../../src/observe/scrape.ts'
import { checkPrometheusText } from '../support/prometheus-text.ts'

const text = (family: string, ...samples: Sample[]): string =>
  exposition([{ family: familyNamed(family)!, samples }])

t.test('a counter, labels in the order of the alphabet', async t => {
  const written = text('coredns_dns_requests_total', {
    values: ['dns://:53', '.', '', 'udp', '1', 'A'],
    numbers: [12],
  })
  t.equal(
    written,
    [
      '# HELP coredns_dns_requests_total Counter of DNS requests made per zone, protocol and family.',
      '# TYPE coredns_dns_requests_total counter',
      'coredns_dns_requests_total{family="1",proto="udp",server="dns://:53",type="A",view="",zone="."} 12',
      '',
    ].join('\n'),
  )
})

t.test('a family without labels', async t => {
  t.match(text('coredns_panics_total', { values: [], numbers: [0] }), /\ncoredns_panics_total 0\n$/)
})

t.test('a histogram counts up to +Inf', async t => {
  const written = text('coredns_health_request_duration_seconds', {
    values: [],
    numbers: [3, 0, 2, 0, 0, 1, 4.25],
  })
  t.same(written.split('\n').slice(2), [
    'coredns_health_request_duration_seconds_bucket{le="0.00025"} 3',
    'coredns_health_request_duration_seconds_bucket{le="0.0025"} 3',
    'coredns_health_request_duration_seconds_bucket{le="0.025"} 5',
    'coredns_health_request_duration_seconds_bucket{le="0.25"} 5',
    'coredns_health_request_duration_seconds_bucket{le="2.5"} 5',
    'coredns_health_request_duration_seconds_bucket{le="+Inf"} 6',
    'coredns_health_request_duration_seconds_sum 4.25',
    'coredns_health_request_duration_seconds_count 6',
    '',
  ])
})

t.test('a histogram with labels has le last', async t => {
  const written = text('coredns_dns_request_size_bytes', {
    values: ['dns://:53', '.', '', 'udp'],
    numbers: new Array(16).fill(1),
  })
  t.match(
    written,
    'coredns_dns_request_size_bytes_bucket{proto="udp",server="dns://:53",view="",zone=".",le="16000"} 11',
  )
  t.same(checkPrometheusText(written).problems, [])
})

t.test('what labels hold is escaped', async t => {
  const values = ['a"b', 'c\\d', 'e\nf', 'ü', '', '{},=']
  const written = text('coredns_dns_requests_total', { values, numbers: [1] })
  t.match(written, 'server="a\\"b"')
  const { families, problems } = checkPrometheusText(written)
  t.same(problems, [])
  const [sample] = families.get('coredns_dns_requests_total')!.samples
  t.same(sample!.labels, { server: 'a"b', zone: 'c\\d', view: 'e\nf', proto: 'ü', family: '', type: '{},=' })
})

t.test('numbers', async t => {
  const cases: [value: number, text: string][] = [
    [0, '0'],
    [0.00025, '0.00025'],
    [1e21, '1e+21'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
    [Number.NaN, 'NaN'],
  ]
  for (const [value, written] of cases) t.equal(formatNumber(value), written)
})

t.test('nothing is an empty text', async t => {
  t.equal(exposition([]), '')
})

t.test('the tests own checker finds what is wrong', async t => {
  const head = '# HELP a_total x\n# TYPE a_total counter\n'
  const cases: [what: string, text: string, problem: RegExp | undefined][] = [
    ['a sound text', `${head}a_total{x="1"} 1\n`, undefined],
    ['no line feed at the end', `${head}a_total 1`, /no line feed/],
    ['a sample of another family', `${head}b_total 1\n`, /outside its family/],
    ['a sample without a family', 'b 1\n', /outside its family/],
    ['a second family of one name', `${head}${head}`, /there already/],
    ['TYPE first', '# TYPE a gauge\n', /TYPE without its HELP/],
    ['an unknown type', '# HELP a x\n# TYPE a meter\n', /no known type/],
    ['a counter by another name', '# HELP a x\n# TYPE a counter\n', /does not end in _total/],
    ['a negative counter', `${head}a_total -1\n`, /below zero/],
    ['the same labels twice', `${head}a_total{x="1"} 1\na_total{x="1"} 2\n`, /same sample twice/],
    ['a label twice', `${head}a_total{x="1",x="2"} 1\n`, /label x twice/],
    ['an unescaped quote', `${head}a_total{x="a"b"} 1\n`, /label that cannot be read/],
    ['no number', `${head}a_total one\n`, /no number/],
    [
      'falling buckets',
      bucketText(
        [
          ['1', 2],
          ['+Inf', 1],
        ],
        1,
      ),
      /counts fall/,
    ],
    ['no last bucket', bucketText([['1', 2]], 2), /no \+Inf bucket/],
    ['another count', bucketText([['+Inf', 2]], 3), /count is not/],
    [
      'bounds out of order',
      bucketText(
        [
          ['2', 1],
          ['1', 1],
          ['+Inf', 1],
        ],
        1,
      ),
      /bounds do not rise/,
    ],
  ]
  for (const [what, text, problem] of cases) {
    const { problems } = checkPrometheusText(text)
    if (problem === undefined) t.same(problems, [], what)
    else t.match(problems.join('\n'), problem, what)
  }
})

function bucketText(buckets: readonly (readonly [string, number])[], count: number): string {
  const lines = buckets.map(([le, value]) => `h_bucket{le="${le}"} ${value}`)
  return `# HELP h x\n# TYPE h histogram\n${lines.join('\n')}\nh_sum 1\nh_count ${count}\n`
}

t.test('OpenMetrics', async t => {
  const cases: [family: string, sample: Sample, lines: string[]][] = [
    [
      'seamark_thread_restarts_total',
      { values: [], numbers: [2] },
      [
        '# HELP seamark_thread_restarts Serving threads that ended and were replaced.',
        '# TYPE seamark_thread_restarts counter',
        'seamark_thread_restarts_total 2',
        '# EOF',
        '',
      ],
    ],
    [
      'coredns_forward_healthcheck_broken_total',
      { values: [], numbers: [0] },
      [
        '# HELP coredns_forward_healthcheck_broken Counter of the number of complete failures of the healthchecks.',
        '# TYPE coredns_forward_healthcheck_broken counter',
        'coredns_forward_healthcheck_broken_total 0',
        '# EOF',
        '',
      ],
    ],
  ]
  for (const [name, sample, lines] of cases) {
    const family = familyNamed(name)!
    t.same(exposition([{ family, samples: [sample] }], 'openMetrics').split('\n'), lines)
  }
  const sizes = familyNamed('coredns_dns_request_size_bytes')!
  const numbers = new Array<number>(sizes.buckets.length + 2).fill(0)
  const text = exposition(
    [{ family: sizes, samples: [{ values: ['dns://:53', '.', '', 'udp'], numbers }] }],
    'openMetrics',
  )
  t.match(text, /le="100\.0"\} 0\n/)
})

t.test('which form is asked for', async t => {
  const prometheus =
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1'
  const cases: [accept: string, form: ExpositionForm][] = [
    ['', 'text'],
    ['*/*', 'text'],
    ['text/html', 'text'],
    [prometheus, 'openMetrics'],
    ['application/openmetrics-text', 'openMetrics'],
    ['Application/OpenMetrics-Text; version=1.0.0', 'openMetrics'],
    ['application/openmetrics-text; version=0.0.1', 'text'],
    ['application/openmetrics-text;q=0', 'text'],
    ['application/openmetrics-text;q=0.1, text/plain', 'text'],
    ['text/plain;q=0.5, application/openmetrics-text', 'openMetrics'],
    ['application/openmetrics-text;q=much', 'text'],
  ]
  for (const [accept, form] of cases) t.equal(expositionForm(accept), form, accept)
})
