// How `view` is written.

import type { WordDoc } from '../../corefile/doc.ts'
import { EXPRESSIONS_MAX } from './config.ts'
import { FUNCTION_NAMES } from './expression/functions.ts'
import { EXPRESSION_MAX_CHARACTERS } from './expression/parse.ts'

export const viewDoc: WordDoc = {
  usage: 'view NAME',
  meaning:
    'gives the server block only the queries for which all its expressions are true; of several blocks for one zone and port the first that takes a query counts',
  options: [
    {
      usage: 'expr EXPRESSION',
      meaning: `a condition in the language of expr-lang, such as \`incidr(client_ip(), '10.0.0.0/8') || name() endsWith '.example.'\``,
      default: 'every query',
      range: `${EXPRESSION_MAX_CHARACTERS} characters, ${EXPRESSIONS_MAX} lines`,
    },
  ],
  notes: [
    `An expression has texts, numbers, \`true\`, \`false\`, lists, parentheses, \`? :\`, the operators \`== != < > <= >= and && or || not ! in contains startsWith endsWith matches + - * / %\` and the functions ${FUNCTION_NAMES.map(name => `\`${name}\``).join(', ')}; other parts of the language are errors.`,
  ],
  example: `
    . {
        view internal {
            expr incidr(client_ip(), '10.0.0.0/8') && type() != 'ANY'
        }
        forward . 10.0.0.2
    }
    . {
        forward . 9.9.9.9
    }`,
}
