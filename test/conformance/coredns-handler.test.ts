import { runSuite } from './run.ts'

runSuite('coredns-handler', 60)
