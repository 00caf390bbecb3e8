// node:http without what an `import` of it brings along: that reads every export, and the ones of the WebSocket load a whole
// HTTP client, 10 MiB of resident memory that nothing here uses.

/** node:http. */
export const http = process.getBuiltinModule('node:http')
