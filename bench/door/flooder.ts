// Floods a door, over one connection at a time that is opened anew every second: <host:port> <kind> <frames a second>.
// Prints READY when it has begun, and on SIGTERM what it did, as JSON.
import { connect, type Socket } from 'node:net';
import { beginning, FLOODS, type Flood, type FloodName } from './flood-kinds.ts';

const [target = '', name = '', framesPerSecond = '20000'] = process.argv.slice(2);
const [host = '127.0.0.1', port = '0'] = target.split(':');
const flood: Flood = FLOODS[name as FloodName];
const EVERY_MS = 1;
const REOPEN_MS = 1000;
const MOST_AT_ONCE_MS = 5;

const piecesPerMs = Number(framesPerSecond) / flood.frames / 1000;
const first = beginning(flood);
/** All that one connection can send before it is opened anew. */
const pieces = Array.from({ length: Math.floor(piecesPerMs * REOPEN_MS) }, (_, round) => flood.piece(round));
let socket: Socket | undefined;
let openedMs = 0;
let sentMs = 0;
let allowed = 0;
let sent = 0;
const did = { frames: 0, connections: 0, endedByDoor: 0 };

function open(): void {
  socket?.destroy();
  const opened = connect(Number(port), host);
  opened.setNoDelay(true);
  opened.on('error', () => undefined);
  opened.on('end', () => {
    if (socket !== opened) return;
    did.endedByDoor += 1;
    socket = undefined;
    opened.destroy();
  });
  if (flood.isDeaf !== true) opened.resume();
  opened.write(first);
  socket = opened;
  openedMs = performance.now();
  sent = 0;
  did.connections += 1;
}

function send(): void {
  const nowMs = performance.now();
  if (nowMs - openedMs >= REOPEN_MS) open();
  // What was missed, because the door took nothing or this process was not run, is not made up for all at once.
  allowed = Math.min(allowed + piecesPerMs * (nowMs - sentMs), piecesPerMs * MOST_AT_ONCE_MS);
  sentMs = nowMs;
  const count = Math.floor(Math.min(allowed, pieces.length - sent));
  if (socket === undefined || socket.writableLength > 0 || count === 0) return;
  socket.write(Buffer.concat(pieces.slice(sent, sent + count)));
  sent += count;
  allowed -= count;
  did.frames += count * flood.frames;
}

open();
setInterval(send, EVERY_MS);
process.stdout.write('READY\n');
process.once('SIGTERM', () => process.stdout.write(`${JSON.stringify(did)}\n`, () => process.exit(0)));
