import { runSuite } from './run.ts'

runSuite('coredns-handler')
