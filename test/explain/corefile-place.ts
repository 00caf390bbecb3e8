// A Corefile with a folder of manifests and an upstream behind it, and names explained out of it without a server.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { explainCommand } from '../../src/explain/command.ts'
import type { Report } from '../../src/explain/report.ts'

/** What is asked besides the name, and of which Corefile. */
export interface Rest {
  readonly type?: string
  readonly from?: string
  /** Further lines of the server block. */
  readonly lines?: string
  /** The lines of its `kubernetes`; `pods insecure` unless given. */
  readonly kubernetes?: string
  /** All of the Corefile, with FOLDER where the folder is. */
  readonly corefile?: string
}

export interface CorefilePlace {
  readonly folder: string
  explain(name: string, rest?: Rest): Promise<Report>
}

/** `objects` in a folder, and an upstream at that port. */
export function corefilePlace(t: Test, objects: string, upstreamPort: number): CorefilePlace {
  const folder = t.testdir({})
  mkdirSync(join(folder, 'cluster'))
  writeFileSync(join(folder, 'cluster', 'objects.yaml'), objects)
  return {
    folder,
    async explain(name, { type = '', from = '', lines = '', kubernetes = 'pods insecure', corefile } = {}) {
      const usual = `.:53 {
  kubernetes cluster.local in-addr.arpa {
    manifests FOLDER/cluster
    ${kubernetes}
  }
  ${lines}
  forward . 127.0.0.1:${upstreamPort} {
    max_connect_attempts 1
  }
}
`
      const text = (corefile ?? usual).replaceAll('FOLDER', folder)
      const configuration = { file: 'Corefile', text, port: 53 }
      let printed = ''
      const status = await explainCommand(
        { name, type, from, json: true, server: '', configuration, fallback: () => configuration },
        text => {
          printed += text
        },
      )
      const report = JSON.parse(printed) as Report
      if (report.status !== status) throw new Error(`status ${status} and ${report.status}`)
      return report
    },
  }
}
