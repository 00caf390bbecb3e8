// What is said about `template` where the configuration is described (docs/coredns.md 4.4; CoreDNS plugin/template/README.md).

import type { WordDoc } from '../../corefile/doc.ts'
import { PARTS_MAX, RULES_MAX, TEXT_MAX_CHARACTERS } from './config.ts'

const record = (section: string): { usage: string; meaning: string; range: string } => ({
  usage: `${section} RECORD…`,
  meaning: `puts a record into the ${section} section: a line of a zone file, out of a Go template`,
  range: `${PARTS_MAX} templates of ${TEXT_MAX_CHARACTERS} characters`,
})

export const templateDoc: WordDoc = {
  usage: 'template CLASS TYPE [ZONE…]',
  meaning:
    'answers questions of that class and type with records made out of the question; the first directive that takes one decides',
  default: 'the zones of the server block',
  range: `CLASS and TYPE by name, ANY for all; ${RULES_MAX} directives in a server block`,
  options: [
    {
      usage: 'match REGEX…',
      meaning: 'takes only names, in lower case and with their final dot, in which one of them is found',
      default: 'every name',
      range: `regular expressions of RE2, of ${TEXT_MAX_CHARACTERS} characters; ${PARTS_MAX} of them`,
    },
    record('answer'),
    record('additional'),
    record('authority'),
    { usage: 'rcode CODE', meaning: 'answers with this code', default: 'NOERROR' },
    {
      usage: 'ederror CODE [REASON]',
      meaning: 'tells clients that understand EDNS an extended error (RFC 8914)',
      default: 'none',
      range: 'CODE from 0 to 65535',
    },
    {
      usage: 'fallthrough [ZONE…]',
      meaning: 'hands names that no `match` takes, in all zones or in these, to the next directive or plugin',
      default: 'SERVFAIL for them',
    },
  ],
  notes: [
    'The first template of the example answers no AAAA: NOERROR without an address and with an SOA record is NODATA, which resolvers keep, while `rcode NXDOMAIN` would deny the name for A, too. Other questions about the cluster stay as fast as without it; to keep AAAA for the cluster, give its zone a server block of its own.',
    'Templates are written in the language of Go, with the data `.Zone .Name .Class .Type .Match .Group .Regex .Question .Message .Remote .Meta` and the functions `and eq ge gt index le len lt ne not or parseInt print printf println slice`; `define`, `template`, `block`, `call`, `html`, `js`, `urlquery` and numbers with a point are not offered.',
    'A template that cannot be read is an error at its place, a field or group that does not exist a warning. A CNAME in an answer to A or AAAA is followed. Of classes, only IN and ANY mean something: questions of others are refused before.',
  ],
  example: `
    . {
        template IN AAAA {
            authority "{{ .Zone }} 60 IN SOA ns.invalid. hostmaster.invalid. 1 60 60 60 60"
        }
        template IN A example.org {
            match "^ip-(?P<a>[0-9]+)-(?P<b>[0-9]+)-(?P<c>[0-9]+)-(?P<d>[0-9]+)[.]example[.]org[.]$"
            answer "{{ .Name }} 60 IN A {{ .Group.a }}.{{ .Group.b }}.{{ .Group.c }}.{{ .Group.d }}"
            fallthrough
        }
        forward . /etc/resolv.conf
    }`,
}
