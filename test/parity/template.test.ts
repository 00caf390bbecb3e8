// What CoreDNS answers, held against the server: cases/template.yaml.

import { runCases } from './suite.ts'

runCases('template', 70)
