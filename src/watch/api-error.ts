// What can go wrong between us and the API server, as one small class with a code that metrics and logs count by.
// Kubernetes answers errors with a Status object, in the body or as an ERROR event inside a watch:
//
//   {"kind":"Status","status":"Failure","message":"…","reason":"Expired","details":{…},"code":410}

/** Why an attempt to read from the API server, or to write to it, failed or ended. */
export type ApiErrorCode =
  /** The token, certificate or kubeconfig could not be read. */
  | 'credentials'
  /** Refused, reset or unreachable. */
  | 'network'
  /** The server's certificate or the handshake was not accepted. */
  | 'tls'
  /** No response within the time allowed. */
  | 'timeout'
  /** No octet for longer than a bookmark may take. */
  | 'silence'
  /** 410: the resourceVersion or continue token is too old. */
  | 'gone'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  /** 429 */
  | 'throttled'
  /** 5xx */
  | 'unavailable'
  /** Any other status that is not 200. */
  | 'refused'
  /** A body that is not what the API promises: bad JSON, wrong kind, an endless line. */
  | 'protocol'
  /** Not asked: as many writes as may be are under way. */
  | 'busy'

/** An attempt that failed. The message says what was being done, without secrets. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: ApiErrorCode
  /** The HTTP status, or the code of an in-stream Status; 0 where none was received. */
  readonly status: number
  /** Retry-After in ms, where the server said so. */
  readonly retryAfterMs: number | undefined

  constructor(
    code: ApiErrorCode,
    message: string,
    options: {
      readonly status?: number
      readonly retryAfterMs?: number | undefined
      readonly cause?: unknown
    } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.code = code
    this.status = options.status ?? 0
    this.retryAfterMs = options.retryAfterMs
  }
}

const MESSAGE_MAX_CHARACTERS = 300

/** The code that a status stands for; anything outside 4xx and 5xx counts as refused. */
function codeOfStatus(status: number): ApiErrorCode {
  if (status === 401) return 'unauthorized'
  if (status === 403) return 'forbidden'
  if (status === 404) return 'not-found'
  if (status === 410) return 'gone'
  if (status === 429) return 'throttled'
  return status >= 500 ? 'unavailable' : 'refused'
}

/**
 * The error for a response that is not 200. The body may be a Status, HTML of a proxy, or nothing; a long one is cut.
 */
export function errorOfResponse(status: number, body: string, retryAfterMs: number | undefined): ApiError {
  let message = body.replace(/\s+/g, ' ').trim()
  try {
    const parsed: unknown = JSON.parse(body)
    if (isRecord(parsed) && typeof parsed.message === 'string') message = parsed.message
  } catch {
    message = message.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
  }
  return new ApiError(codeOfStatus(status), `${status} ${shorten(message) || 'without a message'}`, {
    status,
    retryAfterMs,
  })
}

/** The error for the Status object of an ERROR event; anything else in its place is a protocol error. */
export function errorOfStatus(object: unknown): ApiError {
  if (!isRecord(object) || object.kind !== 'Status') {
    return new ApiError('protocol', 'ERROR event without a Status')
  }
  const status = typeof object.code === 'number' ? object.code : 0
  const gone = status === 410 || object.reason === 'Expired' || object.reason === 'Gone'
  const details = isRecord(object.details) ? object.details : {}
  const retryAfterMs =
    typeof details.retryAfterSeconds === 'number' ? details.retryAfterSeconds * 1000 : undefined
  const message = typeof object.message === 'string' ? shorten(object.message) : 'without a message'
  return new ApiError(gone ? 'gone' : codeOfStatus(status), `${status} ${message}`, { status, retryAfterMs })
}

/** Any thrown value as a message in one line. */
export function messageOf(error: unknown): string {
  return shorten(error instanceof Error ? error.message : String(error))
}

/** True for a plain JSON object: not null, not a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= MESSAGE_MAX_CHARACTERS ? line : `${line.slice(0, MESSAGE_MAX_CHARACTERS)}…`
}
