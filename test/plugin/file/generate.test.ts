import t from 'tap'
import { GENERATE_STEPS_MAX, parseRange, parseTemplate } from '../../../src/plugin/file/generate.ts'

t.test('ranges', async t => {
  t.same(parseRange('1-20'), { start: 1, stop: 20, step: 1 })
  t.same(parseRange('0-100/25'), { start: 0, stop: 100, step: 25 })
  t.same(parseRange(`1-${GENERATE_STEPS_MAX}`), { start: 1, stop: GENERATE_STEPS_MAX, step: 1 })
  for (const [text, complaint] of [
    ['1', 'this is not a range such as 1-20 or 0-100/2'],
    ['a-b', 'this is not a range such as 1-20 or 0-100/2'],
    ['-1-5', 'this is not a range such as 1-20 or 0-100/2'],
    ['1-2/', 'this is not a range such as 1-20 or 0-100/2'],
    ['5-1', 'this range has no numbers'],
    ['1-5/0', 'this range has no numbers'],
    ['1-9999999999', 'this range has no numbers'],
    [
      `0-${GENERATE_STEPS_MAX}`,
      `a range of ${GENERATE_STEPS_MAX + 1} numbers; the longest has ${GENERATE_STEPS_MAX}`,
    ],
  ] as const) {
    t.equal(parseRange(text), complaint, text)
  }
})

t.test('templates', async t => {
  const range = { start: 1, stop: 300, step: 1 }
  const cases: readonly (readonly [template: string, number: number, text: string])[] = [
    ['host', 7, 'host'],
    ['host-$', 7, 'host-7'],
    ['$.$', 7, '7.7'],
    ['a$$b', 7, 'a$b'],
    ['a\\$b', 7, 'a$b'],
    ['\\065$', 7, '\\0657'],
    ['\\\\$', 7, '\\\\7'],
    [`\${0}`, 7, '7'],
    [`\${10}`, 7, '17'],
    [`\${-1}`, 7, '6'],
    [`\${0,3}`, 7, '007'],
    [`\${0,2}`, 300, '300'],
    [`\${0,3,d}`, 7, '007'],
    [`\${0,0,x}`, 255, 'ff'],
    [`\${0,4,X}`, 255, '00FF'],
    [`\${0,0,o}`, 8, '10'],
    ['{$}', 7, '{7}'],
  ]
  for (const [template, number, text] of cases) {
    const made = parseTemplate(template, range)
    t.equal(typeof made === 'string' ? `refused: ${made}` : made(number), text, `${template} of ${number}`)
  }
  for (const template of [
    `\${}`,
    `\${x}`,
    `\${1,2,z}`,
    `\${1,2,d,4}`,
    `\${-2}`,
    `\${2147483647}`,
    `\${0,256}`,
  ]) {
    t.type(parseTemplate(template, range), 'string', `${template} is refused`)
  }
})
