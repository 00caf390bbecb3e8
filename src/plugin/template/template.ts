// `template CLASS TYPE [ZONE…] { … }`: answers questions out of themselves (CoreDNS plugin/template). Directives are tried in
// the order of the file: the first whose zone, class, type and regular expression take a question answers it; a name
// that is in its zone and that no expression takes is SERVFAIL, unless `fallthrough` lets it go on. Records are Go templates
// of lines as in a zone file (go/, ../../wire/presentation/).
//
//   template IN A example {
//       match "^ip-(?P<a>\d+)-(?P<b>\d+)-(?P<c>\d+)-(?P<d>\d+)[.]example[.]$"
//       answer "{{ .Name }} 60 IN A {{ .Group.a }}.{{ .Group.b }}.{{ .Group.c }}.{{ .Group.d }}"
//       fallthrough
//   }

import type { Word } from '../plugin.ts'
import type { TemplateConfig } from './config.ts'
import { templateDoc } from './doc.ts'
import { TemplateHandler } from './handler.ts'
import { parseTemplate } from './parse.ts'

/** `template`, as often in a server block as there are rules. */
export const templateWord = {
  word: 'template',
  doc: templateDoc,
  parse: parseTemplate,
  create: (config, context) => new TemplateHandler(config, context),
} satisfies Word<TemplateConfig>
