import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import type { TrustedPeers } from './trusted-peers.ts';
import { type HttpAnswer, plainRefusal } from './write-answer.ts';

export interface PeerGateOptions {
  readonly peers: Pick<TrustedPeers, 'holds'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Nobody is told why then: it would take a handshake. */
  readonly isTls: boolean;
}

const NOTICE = asHttp(plainRefusal(403, 'This peer is not trusted to ask'));
/** Whoever wires a proxy sees why it is refused; a flood gets no more of it than that. */
const NOTICE_EVERY_MS = 1000;
/** A connection that ends with bytes unread takes its answer back: for so long what comes is dropped unread. */
const NOTICE_MS = 1000;

/**
 * Asks for trust before anything else looks at a connection: one of a stranger is counted nowhere, none of its bytes is
 * parsed and no handshake is made with it, so that strangers take neither places nor memory from proxies. To be called
 * when everybody else listens for connections already.
 */
export function guardConnections(server: Server, { peers, clock, isTls }: PeerGateOptions): void {
  const takers = server.listeners('connection');
  let noticeMs = Number.NEGATIVE_INFINITY;
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    if (peers.holds(socket.remoteAddress)) {
      for (const take of takers) take.call(server, socket);
      return;
    }
    const nowMs = clock.monotonicMs();
    if (isTls || nowMs - noticeMs < NOTICE_EVERY_MS) {
      socket.destroy();
      return;
    }
    noticeMs = nowMs;
    endWith(socket, NOTICE);
  });
}

function endWith(socket: Socket, notice: string): void {
  const end = setTimeout(() => socket.destroy(), NOTICE_MS);
  socket.on('error', () => undefined);
  socket.on('close', () => clearTimeout(end));
  socket.resume();
  socket.end(notice);
}

function asHttp({ status, headers, body }: HttpAnswer): string {
  const fields = [...headers, ['content-length', String(Buffer.byteLength(body))], ['connection', 'close']];
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Forbidden\r\n${lines.join('')}\r\n${body}`;
}
