import { connect } from 'node:net';

/** What a client got. */
export interface Answer {
  /** 0: the connection was closed without an answer. */
  readonly status: number;
  /** By lower-case name; the last line of one that is repeated. */
  readonly headers: Readonly<Record<string, string>>;
  /** Every line, in order, as it came. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

const ANSWER_MS = 15_000;

/**
 * Writes exact bytes over TCP (text as Latin-1) and reads one HTTP/1.1 answer: no client library cleans the request
 * up first. What the bytes ask for is not looked at, so an answer to HEAD has to close the connection.
 */
export function rawRequest(port: number, bytes: string | Uint8Array): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const finish = (answer: Answer): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(ANSWER_MS, () => {
      socket.destroy();
      reject(new Error(`No whole answer within ${ANSWER_MS / 1000} s: ${JSON.stringify(text.slice(0, 200))}`));
    });
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const answer = parseAnswer(text, false);
      if (answer !== undefined) finish(answer);
    });
    // A reset after the answer, for bytes that nobody read, is no failure.
    socket.on('error', (error) => (text === '' ? reject(error) : undefined));
    socket.on('close', () => resolve(parseAnswer(text, true) ?? NO_ANSWER));
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  });
}

/** Sends a head of exact lines; the connection is closed after the answer. */
export const sendRaw = (port: number, head: readonly string[], body = ''): Promise<Answer> =>
  rawRequest(port, `${head.join('\r\n')}\r\nConnection: close\r\n\r\n${body}`);

/** One request by method and target, with headers in order and spelling as given. */
export const send = (port: number, target: string, headers: readonly string[] = [], method = 'GET'): Promise<Answer> =>
  sendRaw(port, [
    `${method} ${target} HTTP/1.1`,
    ...(headers.some((line) => /^host:/i.test(line)) ? [] : ['Host: api.example.org']),
    ...headers,
  ]);

const HAS_NO_BODY: ReadonlySet<number> = new Set([101, 204, 304]);
const NO_ANSWER: Answer = { status: 0, headers: {}, fields: [], body: '' };

/** The answer once it is whole; without a length it is whole when the connection has ended. */
function parseAnswer(text: string, hasEnded: boolean): Answer | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const status = Number(statusLine.split(' ')[1] ?? 0);
  const rest = text.slice(end + 4);
  if (status >= 100 && status < 200 && status !== 101) return parseAnswer(rest, hasEnded);
  const fields = lines.map((line): readonly [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const headers = Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), value]));
  const body = HAS_NO_BODY.has(status) ? '' : (wholeBody(rest, headers) ?? (hasEnded ? rest : undefined));
  return body === undefined ? undefined : { status, headers, fields, body: Buffer.from(body, 'latin1').toString() };
}

function wholeBody(rest: string, headers: Readonly<Record<string, string>>): string | undefined {
  const { 'content-length': length, 'transfer-encoding': coding } = headers;
  if (coding === 'chunked') return wholeChunks(rest);
  return length !== undefined && rest.length >= Number(length) ? rest.slice(0, Number(length)) : undefined;
}

function wholeChunks(rest: string): string | undefined {
  let body = '';
  let position = 0;
  while (position < rest.length) {
    const lineEnd = rest.indexOf('\r\n', position);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(rest.slice(position, lineEnd), 16);
    const start = lineEnd + 2;
    if (size === 0) return rest.includes('\r\n', start) ? body : undefined;
    body += rest.slice(start, start + size);
    position = start + size + 2;
  }
  return undefined;
}
