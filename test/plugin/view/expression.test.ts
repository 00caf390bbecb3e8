// The language of view: what an expression says of a query, and what is told of a wrong one. The query is the one of
// support/words.ts: `www.example.org. A` over UDP from 10.0.0.7:40212 to 10.96.0.10:53, id 29008, 41 octets.

import t from 'tap'
import { checkExpression } from '../../../src/plugin/view/expression/check.ts'
import { compileExpression } from '../../../src/plugin/view/expression/compile.ts'
import type { Value } from '../../../src/plugin/view/expression/functions.ts'
import { EXPRESSION_MAX_CHARACTERS, parseExpression } from '../../../src/plugin/view/expression/parse.ts'
import { CLASS } from '../../../src/wire/rrtype.ts'
import type { Query } from '../../support/query.ts'
import { onRoad } from '../../support/road.ts'
import { query } from '../../support/words.ts'

/** What the expression says; it must survive the way to another thread. */
async function evaluate(text: string, rest: Partial<Query> = {}): Promise<Value> {
  const expression = parseExpression(text)
  checkExpression(expression, () => {})
  return await onRoad(query('WWW.example.org. A', rest), compileExpression(structuredClone(expression)))
}

/** `AT: message` of what is wrong, or of a warning. */
function faultOf(text: string): string {
  const warnings: string[] = []
  try {
    checkExpression(parseExpression(text), (at, message) => warnings.push(`warning ${at}: ${message}`))
  } catch (error) {
    return `${(error as { at: number }).at}: ${(error as Error).message}`
  }
  return warnings.join()
}

t.test('what an expression says', async t => {
  const cases: [text: string, value: Value, rest?: Partial<Query>][] = [
    ['true', true],
    ['false or true', true],
    ["name() == 'www.example.org.'", true],
    ["name() != 'www.example.org.'", false],
    ['type()', 'A'],
    ['class()', 'IN'],
    ['class()', 'CH', { question: { ...query('a.').question, qclass: CLASS.CH } }],
    ['client_ip()', '10.0.0.7'],
    ['port()', '40212'],
    ['server_ip()', '10.96.0.10'],
    ['server_port()', '53'],
    ['proto()', 'udp'],
    ['proto()', 'tcp', { transport: 'tls' }],
    ['size()', 41],
    ['id() == 29008', true],
    ['opcode()', 0],
    ['do()', false],
    ['do()', true, { edns: { payloadSize: 1232, dnssecOk: true, options: [] } }],
    ['bufsize()', 512],
    ['bufsize()', 1232, { edns: { payloadSize: 1232, dnssecOk: false, options: [] } }],
    ['bufsize()', 65535, { transport: 'tcp' }],
    [
      "metadata('kubernetes/client-namespace')",
      'demo',
      { metadata: new Map([['kubernetes/client-namespace', 'demo']]) },
    ],
    ["metadata('no/such')", ''],
    // Networks.
    ["incidr(client_ip(), '10.0.0.0/24')", true],
    ["incidr(client_ip(), '10.0.1.0/24')", false],
    ["incidr(client_ip(), '10.0.0.200/24')", true],
    ["incidr(client_ip(), '::/0')", false],
    ["incidr(client_ip(), '0.0.0.0/0')", true],
    ["incidr(client_ip(), 'fd00::/8')", true, { client: { address: 'fd00::7', port: 1, family: 6 } }],
    ["incidr(client_ip(), '10.0.0.0/8')", false, { client: { address: 'fd00::7', port: 1, family: 6 } }],
    ["incidr(server_ip(), '10.96.0.0/12')", true],
    ["incidr('2001:db8::1', '2001:0DB8::/32')", true],
    ["incidr('fe80::1%eth0', 'fe80::/10')", true],
    ["incidr(name(), '10.0.0.0/8')", undefined],
    ["incidr(client_ip(), lower('10.0.0.0'))", undefined],
    ["incidr(name(), '10.0.0.0/8') || true", undefined],
    ["true || incidr(name(), '10.0.0.0/8')", true],
    ["false && incidr(name(), '10.0.0.0/8')", false],
    // Texts.
    ["name() contains 'example'", true],
    ["name() startsWith 'www.'", true],
    ["name() endsWith '.org.'", true],
    ["name() not endsWith '.org.'", false],
    ["name() matches '^www\\\\.'", true],
    ['name() matches `^w{3}\\.`', true],
    ["name() matches 'W'", false],
    ["name() not matches '\\\\.com\\\\.$'", true],
    ["'a' + 'b' == \"ab\"", true],
    ["'a' < 'b'", true],
    ["'it\\'s \\x41\\u00e9' == \"it's Aé\"", true],
    ["lower('AbC') + upper('d')", 'abcD'],
    ["len('äb') + len([1, 2])", 4],
    ["hasPrefix(name(), 'www') and hasSuffix(name(), 'org.')", true],
    ["trimSuffix(trimPrefix(name(), 'www.'), '.')", 'example.org'],
    ["trimSuffix('a', '')", 'a'],
    ['int(port()) > 1023', true],
    ["int('x') > 1", undefined],
    // Lists.
    ["type() in ['A', 'AAAA']", true],
    ["type() not in ['AAAA', 'MX']", true],
    ["!(type() in ['A'])", false],
    ["type() in ['a', 1,]", false],
    ['size() in []', false],
    ['size() in [40, 41]', true],
    // Numbers.
    ['1 + 2 * 3 - 4', 3],
    ['(1 + 2) * 3', 9],
    ['-2 + 3', 1],
    ['7 / 2', 3.5],
    ['id() % 10', 8],
    ['1 / 0 > 1', undefined],
    ['1 % 0', undefined],
    ['0x1F + 0b11 + 0o17 + 1_000 + .5', 31 + 3 + 15 + 1000.5],
    ['1e3 == 1000.0', true],
    ['size() >= 41 and size() <= 41', true],
    // What binds how.
    ['true or false and false', true],
    ['not false and true', true],
    ['not not true', true],
    ['1 < 2 == true', true],
    ["type() == 'A' ? size() > 40 : false", true],
    ["type() == 'MX' ? false : size() == 1 ? false : true", true],
    ["incidr(name(), '::/0') ? true : false", undefined],
  ]
  for (const [text, value, rest] of cases) t.equal(await evaluate(text, rest), value, text)
})

t.test('what is wrong with an expression, and where', async t => {
  const cases: [text: string, fault: string][] = [
    ['', '0: a value is missing'],
    ["name() == 'a", '10: this quote is never closed'],
    [
      'name() == example.com',
      '10: example is no value: texts stand in single quotes, functions have parentheses',
    ],
    ['client_ip == 1', '0: client_ip is no value: texts stand in single quotes, functions have parentheses'],
    [
      'invalid expression',
      '0: invalid is no value: texts stand in single quotes, functions have parentheses',
    ],
    [
      'nam()',
      `0: there is no function nam; there are bufsize, class, client_ip, do, hasPrefix, hasSuffix, id, incidr, int, len, lower, metadata, name, opcode, port, proto, server_ip, server_port, size, trimPrefix, trimSuffix, type, upper`,
    ],
    [
      '__proto__()',
      `0: there is no function __proto__; there are bufsize, class, client_ip, do, hasPrefix, hasSuffix, id, incidr, int, len, lower, metadata, name, opcode, port, proto, server_ip, server_port, size, trimPrefix, trimSuffix, type, upper`,
    ],
    ['incidr(client_ip())', '0: incidr takes 2 arguments, not 1'],
    ["incidr(size(), '10.0.0.0/8')", '7: here must stand a text, and this is a number'],
    ["incidr(client_ip(), '10.0.0.0/8'", '32: , is missing'],
    ['len(1)', '4: here must stand text or list, and this is a number'],
    ['name() == 1', '7: == does not go between a text and a number'],
    ["['a'] == ['a']", '6: == does not go between a list of texts and a list of texts'],
    ['true < false', '5: < does not go between true or false and true or false'],
    ["size() < 'a'", '7: < does not go between a number and a text'],
    ["'a' * 2", '4: * does not go between a text and a number'],
    ['not size()', '4: here must stand true or false, and this is a number'],
    ["-'a'", '1: here must stand a number, and this is a text'],
    ['size() and true', '0: here must stand true or false, and this is a number'],
    ["not type() == 'A'", '4: here must stand true or false, and this is a text'],
    ['name() contains 5', '16: here must stand a text, and this is a number'],
    ["type() in 'A'", '10: here must stand a list, and this is a text'],
    ['type() in [1, 2]', '0: a text is never in a list of numbers'],
    ['[1] in [1]', '0: a list of numbers is never in a list of numbers'],
    [
      "name() matches '('",
      '15: this is not a regular expression of RE2: error parsing regexp: missing closing ): `(`',
    ],
    [
      "name() matches '(?=a)'",
      '15: this is not a regular expression of RE2: error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
    ],
    ['name() matches name()', '15: the pattern behind matches must be written out'],
    ["name() not == 'a'", '7: not cannot stand before =='],
    ['true not', '5: "not" means nothing here'],
    ['true false', '5: "false" means nothing here'],
    ['(true', '5: ) is missing'],
    ["['a' 'b']", '5: , is missing'],
    ['true ? true', '11: : is missing'],
    ["true ? 1 : 'a'", '0: one side of ? is a number, the other a text'],
    ["true ? '' : 1 / 2 == 1", '0: one side of ? is a text, the other true or false'],
    ["'\\q' == ''", '0: Go has no such escape'],
    ['a & b', '0: a is no value: texts stand in single quotes, functions have parentheses'],
    ['true & true', '5: "&" is not offered in an expression'],
    ["any(['a'], {# == name()})", '11: "{" is not offered in an expression'],
    ['let x = 1; true', '0: let is no value: texts stand in single quotes, functions have parentheses'],
    ['name() | lower()', '7: "|" is not offered in an expression'],
    ["split(name(), '.')[0] == 'a'", '18: "[" means nothing here'],
    ['1..3', '1: "." is not offered in an expression'],
    ['1e999 == 1', '0: this is not a number'],
    [`${'('.repeat(101)}true${')'.repeat(101)}`, '100: more than 100 levels inside one another'],
    [`${'not '.repeat(101)}true`, '400: more than 100 levels inside one another'],
    [
      `true${' '.repeat(EXPRESSION_MAX_CHARACTERS)}`,
      `0: an expression may have ${EXPRESSION_MAX_CHARACTERS} characters`,
    ],
    [
      "incidr(client_ip(), '10.0.0.0')",
      'warning 20: 10.0.0.0 is no network such as 10.0.0.0/8: this is never true',
    ],
    [
      "incidr(client_ip(), '10.0.0.0/33') || true",
      'warning 20: 10.0.0.0/33 is no network such as 10.0.0.0/8: this is never true',
    ],
  ]
  for (const [text, fault] of cases) t.equal(faultOf(text), fault, text.slice(0, 60))
})

t.test('the longest expressions are no trouble', async t => {
  const or = `${'1>2 or '.repeat(EXPRESSION_MAX_CHARACTERS / 7 - 2)}true`
  t.equal(await evaluate(or), true)
  t.equal(await evaluate(`${'1+'.repeat(100)}1`), 101)
  t.equal(faultOf(`${'1+'.repeat(101)}1`), '201: more than 100 levels inside one another')
})
